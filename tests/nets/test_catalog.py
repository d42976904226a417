from collections import Counter, OrderedDict

import pytest

from nets.catalog import Catalog, Entry


class Standard(Entry):
    package = "collections"


class Missing(Entry):
    package = "nets.no_such_module"


TABLES = Catalog(
    "table",
    [
        Standard("counter", "Counter", "OrderedDict", "counts"),
        Missing("lazy-table", "Lazy", "LazyConfig", "is not imported"),
    ],
)


def test_entries_are_listed_in_order_and_import_only_when_asked():
    assert list(TABLES) == ["counter", "lazy-table"]
    assert [entry.summary for entry in TABLES.values()] == ["counts", "is not imported"]
    assert TABLES.find("counter").import_type() is Counter
    assert TABLES.find("counter").config_type() is OrderedDict
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        TABLES["lazy-table"].import_type()


def test_names_hold_as_they_are_written_and_the_nearest_is_suggested():
    assert "Lazy_Table" not in TABLES
    with pytest.raises(ValueError, match=r"unknown table 'Lazy_Table'; did you mean 'lazy-tab"):
        TABLES.find("Lazy_Table")
    with pytest.raises(ValueError, match=r"'xyz'; choose one of 'counter', 'lazy-table'"):
        TABLES.find("xyz")
