import { describe, expect, it } from "vitest";
import { promiseWords, stepsOf } from "../src/staff/panel/promises";
import type { PromiseState } from "../src/wire/staff";

const NOW = new Date("2026-11-22T04:00:00Z");
const one = (changes: Partial<PromiseState> = {}): PromiseState => ({
  stage: "accepted",
  promised_at: "2026-11-22T03:00:00Z",
  due_at: "2026-11-22T05:00:00Z",
  told: { accepted: "2026-11-22T03:00:00Z" },
  times_late: 0,
  added: false,
  ...changes,
});
const words = (promise: PromiseState): { text: string; late: boolean } =>
  promiseWords(promise, NOW, (iso) => iso.slice(11, 16));

describe("a promise as staff read it", () => {
  it("says the stage and the time", () => {
    expect(words(one())).toEqual({ text: "已答应，05:00 前办好", late: false });
    expect(words(one({ due_at: "2026-11-22T03:30:00Z" }))).toEqual({
      text: "已答应，本该在 03:30 前办好",
      late: true,
    });
    expect(words(one({ stage: "late", times_late: 2, added: true })).text).toBe(
      "已告诉顾客会晚，05:00 前办好，改过 2 次，为耽误加补过",
    );
    const done = one({ stage: "done", told: { done: "2026-11-22T03:40:00Z" } });
    expect(words(done)).toEqual({ text: "已办好，03:40 告诉了顾客", late: false });
  });

  it("offers only the steps that can be taken", () => {
    expect(stepsOf("todo", one())).toEqual(["sent_on", "moved"]);
    const sent = one({ stage: "sent_on", told: { sent_on: "2026-11-22T03:10:00Z" } });
    expect(stepsOf("done", sent)).toEqual(["done", "moved"]);
    expect(stepsOf("failed", one({ stage: "given_up" }))).toEqual(["sent_on", "moved"]);
    expect(stepsOf("done", one({ stage: "done" }))).toEqual([]);
  });
});
