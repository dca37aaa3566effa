import type { Draft, DrillOutcome, DrillRow, Verdict } from "../../wire/drills";

const OUTCOMES: Record<DrillOutcome, string> = {
  calmed: "顾客消了气",
  walked_out: "顾客走了",
  time: "时间到",
  stopped: "自己结束",
};
const VERDICTS: Record<Verdict, string> = { good: "做到了", mixed: "差一点", bad: "没做到" };
const LEVELS = ["", "容易", "一般", "难"];

export const outcomeWords = (outcome: DrillOutcome | null): string =>
  outcome ? OUTCOMES[outcome] : "还在练";
export const verdictWords = (verdict: Verdict): string => VERDICTS[verdict];
export const levelWords = (level: number): string => LEVELS[level] ?? "一般";

/** `04:05`, never below zero. */
export function clockWords(seconds: number): string {
  const left = Math.max(0, Math.ceil(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${two(Math.floor(left / 60))}:${two(left % 60)}`;
}

/** What is left of a practice as a screen reader should hear it: not every second. */
export function spokenLeft(seconds: number): string {
  if (seconds <= 0) return "时间到了";
  if (seconds <= 60) return "还剩不到一分钟";
  return `还剩约 ${Math.ceil(seconds / 60)} 分钟`;
}

/** How far the desk's clock is ahead of this page's, in milliseconds. */
export const aheadBy = (desk: string, now: number): number => Date.parse(desk) - now;

/** How a practice went, in one line of a list. */
export function rowWords(row: DrillRow): string {
  const parts = [outcomeWords(row.outcome)];
  if (row.good !== null && row.of !== null) parts.push(`${row.of} 项做到 ${row.good} 项`);
  if (row.opening !== null && row.close !== null) parts.push(`情绪 ${row.opening} → ${row.close}`);
  return parts.join("，");
}

/** Text of a form, one a line, as the lines that it holds. */
export const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);

/** A draft with what a manager has changed; facts that were emptied are left out. */
export function changedDraft(draft: Draft, opening: string, facts: readonly string[]): Draft {
  return {
    ...draft,
    title: draft.title.trim(),
    opening: linesOf(opening),
    facts: draft.facts
      .map((fact, place) => ({ ...fact, line: (facts[place] ?? "").trim() }))
      .filter((fact) => fact.line),
  };
}
