from torchfit.flags.bits import ResultFlag


def test_every_flag_is_one_bit_of_its_own():
    values = [int(flag) for flag in ResultFlag]
    assert all(value.bit_count() == 1 for value in values)
    assert len(set(values)) == len(values)


def test_the_bits_of_old_catalogues_keep_their_meaning():
    assert {flag.name: int(flag) for flag in ResultFlag} == {
        "EDGE": 1,
        "NOT_CONVERGED": 2,
        "POOR_MATCH": 4,
        "FEW_PIXELS": 8,
        "NO_ERRORS": 16,
    }
