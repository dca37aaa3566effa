import { describe, expect, it } from "vitest";
import * as words from "../src/staff/words";

describe("words", () => {
  // As in recovery/commands.py, desk/conversations/commit.py and desk/conversations/fulfilment.py.
  const reasons =
    "safety asked escalation fury silent transfer unknown refused beyond_authority not_understood proof_limit no_order " +
    "second_matter not_as_promised reopened changed_mind late repeated alleged no_evidence budget error " +
    "offer_gone remedy_late remedy_refused remedy_failed follow_up";

  it.each(reasons.split(" "))("say the reason %s", (reason) => {
    expect(words.reasonWords(reason)).toMatch(/^[\u4e00-\u9fff，]+$/u);
  });

  it("say every value that staff can set", () => {
    const values = { fault: 4, finding: 3, harm: 4 };
    for (const [fact, count] of Object.entries(values)) {
      expect(words.factChoices(fact)).toHaveLength(count);
      for (const [, word] of words.factChoices(fact)) expect(word).not.toMatch(/[a-z]/u);
    }
    expect(words.factWords("harm", "injury")).toBe("伤到人");
    expect(words.factWords("evidence", "asked")).toBe("已请顾客发来");
    expect(words.factWords("wish", "voucher")).toBe("代金券");
    expect(words.factWords("stays_public", true)).toBe("是");
  });

  it("write fen as yuan", () => {
    expect([0, 5, 1_500, 1_550, 137_605].map(words.yuan)).toEqual([
      "0元",
      "0.05元",
      "15元",
      "15.50元",
      "1376.05元",
    ]);
  });
});
