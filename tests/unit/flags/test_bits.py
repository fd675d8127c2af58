from torchfit.flags.bits import MEANINGS, ResultFlag


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
        "OUTSIDE_SUPPORT": 32,
        "EMISSION": 64,
        "MANY_MASKED": 128,
        "ORMASK": 256,
        "FAR_FROM_START": 512,
        "LOW_SNR": 1024,
        "VELOCITY": 2048,
        "NO_ALPHA_FE": 4096,
        "PECULIAR": 8192,
        "NOT_MIXED": 16384,
        "INVALID": 32768,
        "UNSURE_VELOCITY": 65536,
    }


def test_every_bit_says_what_it_means():
    assert set(MEANINGS) == set(ResultFlag)
    assert len(set(MEANINGS.values())) == len(MEANINGS)
    assert all(meaning.isascii() for meaning in MEANINGS.values())
