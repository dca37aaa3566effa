import { describe, expect, it } from "vitest";
import { standing, urgent } from "../src/staff/panel/followUp";
import type { FollowUp } from "../src/wire/staff";

const NONE: FollowUp = {
  state: null,
  why: null,
  round: 0,
  due_at: null,
  asked_at: null,
  rating: null,
  rated_at: null,
  words: null,
  by_person: false,
  refused: false,
  may_plan: false,
  may_cancel: false,
  may_answer: false,
};
const said = (one: Partial<FollowUp>): string =>
  standing({ ...NONE, ...one }, () => "明天 12:00");

describe("a follow-up", () => {
  it.each<[Partial<FollowUp>, string]>([
    [{}, "还没有安排，办完以后自动安排"],
    [{ refused: true }, "不回访：顾客说过不要再回访"],
    [{ state: "waiting", round: 1, due_at: "x" }, "明天 12:00 自动回访"],
    [{ state: "waiting", round: 2, due_at: "x" }, "明天 12:00 再问一次"],
    [{ state: "waiting", round: 1, due_at: "x", by_person: true }, "明天 12:00 提醒同事回访"],
    [{ state: "asked", round: 1 }, "已经问了顾客，等回音"],
    [{ state: "asked", round: 1, by_person: true }, "该打回访电话了"],
    [{ state: "answered", rating: 2 }, "2分，不满意"],
    [{ state: "cancelled", why: "wrote_first" }, "不回访：顾客先写来了"],
    [{ state: "ended", why: "silent" }, "已结束：顾客没有回音"],
  ])("says %o in words", (one, words) => {
    expect(said(one)).toBe(words);
  });

  it("has words for every reason", () => {
    // As in recovery/follow_up/deciding.py.
    const reasons =
      "asked_lately merged no_ask other_matter out_of_reach refused reopened silent staff too_late " +
      "unreached wrote_first wrote_other";
    for (const why of reasons.split(" ")) {
      expect(said({ state: "cancelled", why })).toMatch(/^不回访：[\u4e00-\u9fff，]+$/u);
    }
  });

  it("calls for a look after a bad rating and for a call that is due", () => {
    expect(urgent({ ...NONE, state: "answered", rating: 1 })).toBe(true);
    expect(urgent({ ...NONE, state: "answered", rating: 3 })).toBe(false);
    expect(urgent({ ...NONE, state: "asked", by_person: true })).toBe(true);
    expect(urgent({ ...NONE, state: "asked" })).toBe(false);
  });
});
