"""A plan says exactly what a change of the definitions touches, and to whom it happens."""

from pathlib import Path

import pytest

from runners.plans import foreseeing
from runners.warehouses.ducklake import open_lake
from tests.support.oracle_model import HOUR
from tests.support.planned import (
    SEGMENTS,
    START,
    T,
    changed,
    copied,
    counted,
    did,
    edit,
    event,
    moved,
    planned,
    publish,
    segue,
    world,
)
from tests.support.whole_runs import Target

LEAVES = 6


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Target:
    return publish(tmp_path_factory.mktemp("published") / "project")


@pytest.fixture
def target(published: Target, tmp_path: Path) -> Target:
    return copied(published, tmp_path / "project")


def test_before_the_first_run_everything_is_new(tmp_path: Path) -> None:
    target = Target(tmp_path, world())
    (tmp_path / "items.csv").write_text("id,colour\n1,red\n")
    target.write([event("ann", 1, 3)])
    plan = planned(target)
    assert (plan["does"], plan["against"], plan["sample"]) == ("first", None, None)
    assert {one["change"] for one in plan["segments"]} == {"new"} and counted(plan) == (LEAVES, 0, 0, 0)
    assert (plan["reads"]["files"], plan["pinned"]["last_run"]) == (1, None)
    assert not (tmp_path / "lake").exists(), "nothing is made"


def test_of_what_is_published_nothing_is_to_be_done(target: Target) -> None:
    plan = planned(target)
    assert (plan["does"], plan["segments"], counted(plan)) == ("nothing", [], (0, 0, LEAVES, 0))
    assert plan["unchanged"]["segments"] == len(SEGMENTS)


def test_a_definition_that_is_written_otherwise_is_no_change(target: Target) -> None:
    edit(target, big={"description": "spent", **did("big", ["q"], where="value   >   2", window="lifetime")})
    assert planned(target)["does"] == "nothing"


def test_a_renamed_segment_computes_nothing(target: Target) -> None:
    edit(target, loyal=None, faithful=did("faithful", "p", count=">= 2"))
    plan = planned(target)
    (one,) = plan["segments"]
    assert (one["change"], one["name"], one["was"], one["version"]) == ("renamed", "faithful", "loyal", {"before": 1, "after": 1})
    assert (one["computed"], one["interval"], one["facts"], counted(plan)) == (False, None, 0, (0, 0, LEAVES, 0))
    assert moved(one) == (1, 0, 0)


def test_a_threshold_touches_its_leaf_and_what_depends_on_it(target: Target) -> None:
    edit(target, big=did("big", "q", where="value > 1"))
    plan = planned(target)
    found = changed(plan)
    assert (found.keys(), counted(plan), plan["does"]) == ({"big", "fans"}, (0, 2, 4, 0), "anew")
    leaves = {one["rule"]: (one["change"], one["because"]) for name in found for one in found[name]["leaves"]}
    assert leaves == {
        "did a where value > 1": ("changed", ["rule"]),
        "in_segment big": ("changed", ["big"]),
        "did_not b": ("shared", []),
    }
    assert found["big"]["leaves"][0]["before"] == "did a where value > 2"
    assert found["big"]["version"] == {"before": 1, "after": 2}
    assert {name: moved(one) for name, one in found.items()} == {"big": (1, 1, 0), "fans": (1, 1, 0)}


def test_what_is_computed_is_told_by_the_facts_that_its_leaves_are_about(target: Target) -> None:
    target.write([event("dan", 3, 9)])
    target.run(T)
    idle = {"segment": "idle", "purpose": "q", "when": {"did_not": {"event": "b"}}}
    edit(target, big=did("big", "q", where="value > 1"), idle=idle)
    found = changed(planned(target))
    interval = {"from": START + HOUR, "to": T}
    for name in ("big", "fans"):
        assert (found[name]["facts"], found[name]["subjects"], found[name]["interval"]) == (7, 4, interval), name
    assert (found["idle"]["change"], found["idle"]["computed"], found["idle"]["facts"]) == ("new", False, 0)
    assert found["idle"]["leaves"][0]["change"] == "shared"


def test_another_purpose_changes_every_leaf_of_the_segment_and_says_whom_it_keeps_out(target: Target) -> None:
    edit(target, loyal=did("loyal", "q", count=">= 2"))
    (one,) = planned(target)["segments"]
    assert one["because"] == ["purpose p", "purpose q"]
    assert [leaf["change"] for leaf in one["leaves"]] == ["changed"]
    assert (moved(one), one["members"]["kept_out"]) == ((1, 2, 0), [])


def test_consent_keeps_out_by_the_first_reason(target: Target) -> None:
    edit(target, loyal=did("loyal", "p", count=">= 1"))
    (one,) = planned(target)["segments"]
    assert one["members"]["satisfy"]["number"] == 3
    kept = {(out["purpose"], out["reason"]): out["number"] for out in one["members"]["kept_out"]}
    assert kept == {("p", "NO_RECORD"): 1, ("p", "WITHDRAWN"): 1}


def test_gates_put_together_otherwise_compute_no_leaf(target: Target) -> None:
    edit(target, fans={"segment": "fans", "purpose": "q", "when": {"any": SEGMENTS["fans"]["when"]["all"]}})
    (one,) = planned(target)["segments"]
    assert (one["because"], one["computed"], moved(one)) == (["gates"], False, (1, 2, 0))


def test_another_population_is_computed_and_another_number_of_shards_changes_nobody(target: Target) -> None:
    edit(target, loyal={**SEGMENTS["loyal"], "population": {"active_in": "1h"}})
    target.sharded(2)
    plan = planned(target)
    (one,) = plan["segments"]
    assert (one["because"], one["computed"], [leaf["change"] for leaf in one["leaves"]]) == (["population"], True, ["shared"])
    assert (moved(one), plan["because"]) == ((1, 0, 1), ["definitions", "shards"])


def test_an_id_on_a_list_changes_who_is_listed(target: Target) -> None:
    target.define(world(SEGMENTS, "bob"))
    target.sharded(1)
    (one,) = planned(target)["segments"]
    assert (one["name"], one["leaves"][0]["because"], moved(one)) == ("vip", ["lists/vip.csv"], (1, 1, 0))


def test_a_row_of_a_lookup_has_its_source_read_again_before_members_are_known(target: Target) -> None:
    (target.folder / "items.csv").write_text("id,colour\n1,blue\n2,blue\n")
    plan = planned(target)
    (one,) = plan["segments"]
    assert (one["name"], one["leaves"][0]["because"]) == ("red", ["column colour"])
    assert (one["members"], one["unread"], plan["reads"]["again"]) == (None, ["app"], ["app"])


def test_a_new_source_is_told_and_changes_no_segment(target: Target) -> None:
    more = world()
    more.project["sources"]["web"] = {"kind": "events", "properties": {}}
    target.define(more)
    target.sharded(1)
    target.write([event("dan", 3, 9, source="web")])
    plan = planned(target)
    assert (plan["segments"], plan["reads"]["new"], plan["reads"]["files"], plan["does"]) == ([], ["web"], 1, "anew")


def test_of_a_segment_that_goes_all_members_leave(target: Target) -> None:
    edit(target, loyal=None)
    plan = planned(target)
    (one,) = plan["segments"]
    assert (one["change"], one["version"], moved(one)) == ("removed", {"before": 1, "after": None}, (1, 0, 1))
    assert counted(plan) == (0, 0, LEAVES - 1, 1)


def test_a_segment_that_is_not_published_any_more_loses_its_members(target: Target) -> None:
    edit(target, loyal={**SEGMENTS["loyal"], "publish": False})
    (one,) = planned(target)["segments"]
    assert (one["because"], one["computed"], moved(one)) == (["publish"], False, (1, 0, 1))


def test_where_the_last_run_noted_no_leaves_all_of_a_changed_segment_count_as_added(target: Target) -> None:
    edit(target, fans={"segment": "fans", "purpose": "q", "when": {"any": SEGMENTS["fans"]["when"]["all"]}})
    with open_lake(target.folder / "lake", write=True) as lake:
        lake.run("UPDATE run_manifest SET inputs = json_merge_patch(inputs, '{\"composition\": null}')")
    plan = planned(target)
    (one,) = plan["segments"]
    assert (plan["leaves"]["are_known"], {leaf["change"] for leaf in one["leaves"]}) == (False, {"added"})


def test_of_many_subjects_some_are_looked_at_and_the_bounds_hold_what_the_run_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreseeing, "ENOUGH", 120)
    target = Target(tmp_path, world()).sharded(1)
    (tmp_path / "items.csv").write_text("id,colour\n1,red\n")
    target.write([event(f"u{number}", 1, number % 5) for number in range(600)])
    target.run(T)
    edit(target, big=did("big", "q", where="value > 0 AND value < 4"))
    plan = planned(target)
    one = changed(plan)["big"]
    assert plan["sample"]["subjects"] == 600 and 80 < plan["sample"]["looked_at"] < 160
    for name, truth in {"enter": 240, "leave": 120, "satisfy": 360}.items():
        found = one["members"][name]
        assert found["low"] <= truth <= found["high"] and found["low"] < found["high"], name


def test_what_a_plan_foretells_is_what_its_run_publishes(target: Target) -> None:
    edit(target, big=did("big", "q", where="value > 1"), loyal=did("loyal", "p", count=">= 3"), new=did("new", "p"))
    before = set(target.rows("SELECT segment, subject FROM segment_membership"))
    foretold = {name: moved(one)[1:] for name, one in changed(planned(target)).items()}
    assert segue(target, "apply", str(target.folder / "plan.json"))[0] == 0
    after = set(target.rows("SELECT segment, subject FROM segment_membership"))
    for name, (enter, leave) in foretold.items():
        was, now = ({who for segment, who in rows if segment == name} for rows in (before, after))
        assert (len(now - was), len(was - now)) == (enter, leave), name


def test_a_plan_reads_within_80_columns(target: Target) -> None:
    where = " OR ".join(f"value = {number}" for number in range(40))
    edit(target, loyal=None, faithful=did("faithful", "p", count=">= 2"), big=did("big", "q", where=where), vip=None)
    code, said, _ = segue(target, "plan", "--as-of", "2026-01-06")
    assert code == 0 and max(map(len, said.splitlines())) <= 80
    for line in ("renamed   faithful, until now loyal", "changed   big: version 1 -> 2", "going     vip: version 1 is closed"):
        assert line in said
