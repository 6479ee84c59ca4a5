from __future__ import annotations

from dev import homeservers


def test_table_in_the_documentation_is_what_the_adapters_promise() -> None:
    assert homeservers.main(["--check"]) == 0


def test_table_has_a_row_for_every_world_of_the_contract_suite() -> None:
    table = homeservers.table()

    assert table.count("\n") == len(homeservers.ROWS) + 2
    assert "a real Synapse, a double" in table
