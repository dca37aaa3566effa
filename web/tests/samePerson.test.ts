import { expect, test } from "vitest";
import { bareCode, isWholeCode, leftWords } from "../src/chat/samePerson";
import { identityWords, stepWords } from "../src/staff/panel/person";
import type { CaseStep } from "../src/wire/staffPersons";

test("a code is the same however it is typed", () => {
  for (const typed of ["ACDE-3467", "acde3467", " acde 3467 ", "ＡＣＤＥ－３４６７", "ACDE–3467"]) {
    expect(bareCode(typed)).toBe("ACDE3467");
    expect(isWholeCode(typed)).toBe(true);
  }
  for (const typed of ["", "ACDE-346", "ACDE-34679", "合并码"]) {
    expect(isWholeCode(typed)).toBe(false);
  }
});

test("how long a code holds is said until it does not", () => {
  const now = Date.parse("2026-11-22T04:00:00Z");
  expect(leftWords("2026-11-22T04:10:00Z", now)).toBe("还有 10 分钟有效");
  expect(leftWords("2026-11-22T04:00:59Z", now)).toBe("还有 59 秒有效");
  expect(leftWords("2026-11-22T04:00:00Z", now)).toBe("");
  expect(leftWords("never", now)).toBe("");
});

test("staff read what was merged and split in words", () => {
  const step: CaseStep = {
    id: "g1",
    kind: "merge",
    kept: "s1",
    other: "s2",
    matter: "房间没有打扫干净这件事",
    reason: "同一晚的事",
    by: "小林",
    at: "2026-11-22T04:00:00Z",
    undone_at: null,
  };
  expect(stepWords(step)).toBe("并入了房间没有打扫干净这件事：同一晚的事");
  expect(stepWords({ ...step, matter: "" })).toBe("并入了另一个案子：同一晚的事");
  expect(stepWords({ ...step, kind: "split" })).toBe("拆出了一个新案子：同一晚的事");
  expect(identityWords("wechat")).toBe("微信");
  expect(identityWords("else")).toBe("else");
});
