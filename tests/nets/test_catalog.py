from collections import Counter, OrderedDict

import pytest

from nets.catalog import Catalog, Entry

TABLES = Catalog(
    "table",
    [
        Entry("counter", "collections", "Counter", "OrderedDict", "counts"),
        Entry("lazy-table", "nets.no_such_module", "Lazy", "LazyConfig", "is not imported"),
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


def test_modules_tell_where_each_class_lives():
    homes = TABLES.modules()
    assert homes["Counter"] == homes["OrderedDict"] == "collections"
    assert homes["LazyConfig"] == "nets.no_such_module"
