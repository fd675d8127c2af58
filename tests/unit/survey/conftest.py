from tests.unit.catalogue.conftest import table

__all__ = ["table"]
