"""The clients of this checkout offer what they must, and the comparison would see it if they did not."""

from __future__ import annotations

import copy
from pathlib import Path

from compare import Comparison, forms
from contract import Contract
from page import Page
from surface import Surface

ROOT = Path(__file__).resolve().parents[3]
Offered = dict[str, list[Surface]]


def test_no_client_is_behind_without_a_reason(contract: Contract, offered: Offered) -> None:
    assert Comparison(contract, offered).problems == []


def test_the_page_is_what_the_clients_offer(contract: Contract, offered: Offered) -> None:
    text = Page(Comparison(contract, offered)).text()
    assert (ROOT / "docs/parity.md").read_text("utf-8") == text, "write it anew with: .cache/venv/bin/python scripts/parity"
    assert "**missing**" not in text


def test_a_client_that_lost_any_member_would_be_seen(contract: Contract, offered: Offered) -> None:
    whole = Comparison(contract, offered)
    for verb in contract.verbs:
        for client, cell in zip(contract.clients, whole.verbs.rows[verb.title], strict=True):
            for reading in range(len(offered[client.key])):
                if cell.name:
                    less = copy.deepcopy(offered)
                    del less[client.key][reading].members[cell.name]
                    made = Comparison(contract, less)
                    if verb.absent(client.key) is None:
                        assert f"{client.title} has no {verb.title} ({cell.name})" in made.problems
                    assert Page(made).text() != Page(whole).text()


def test_a_client_that_lost_any_option_would_be_seen(contract: Contract, offered: Offered) -> None:
    whole = Comparison(contract, offered)
    seen = 0
    for verb in contract.verbs:
        for option, cells in whole.options.get(verb.title, whole.verbs).rows.items():
            for client, cell in zip(contract.clients, cells, strict=True):
                member = whole.verbs.rows[verb.title][contract.clients.index(client)].name
                if not cell.name or option not in verb.options_for(client):
                    continue
                less = copy.deepcopy(offered)
                options = less[client.key][-1].members[member]
                for name in (name for form in forms(client, verb, option) for name in form):
                    options.pop(name, None)
                made = Comparison(contract, less)
                if verb.without(option, client.key) is None:
                    assert f"{client.title}: {member} has no option {option}" in made.problems
                assert Page(made).text() != Page(whole).text()
                seen += 1
    assert seen > 100


def test_a_client_that_does_not_know_an_error_would_be_seen(contract: Contract, offered: Offered) -> None:
    for client in contract.clients:
        if client.key in contract.no_error:
            continue
        less = copy.deepcopy(offered)
        del less[client.key][0].errors["name_taken"]
        assert f"{client.title} does not know the error name_taken" in Comparison(contract, less).problems


def test_no_cell_is_empty_without_a_reason(contract: Contract, offered: Offered) -> None:
    made = Comparison(contract, offered)
    tables = [made.verbs, made.errors, *made.options.values(), *made.records.values()]
    cells = [cell for table in tables for cells in table.rows.values() for cell in cells]
    assert len(cells) > 500
    assert [cell for cell in cells if not cell.name and len(cell.reason.split()) < 4] == []
