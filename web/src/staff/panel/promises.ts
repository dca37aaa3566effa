/** What a member of staff reads of a promise, and what may be said of it. */
import type { PromiseState, RemedyState } from "../../wire/staff";

export type PromiseStep = "sent_on" | "done" | "moved";

export interface PromiseWords {
  text: string;
  late: boolean;
}

const STAGES: Record<PromiseState["stage"], string> = {
  accepted: "已答应",
  sent_on: "已转交去办",
  done: "已办好",
  late: "已告诉顾客会晚",
  given_up: "要人来办",
};

/** The steps that a member of staff may take now. */
export function stepsOf(state: RemedyState["state"], promise: PromiseState): PromiseStep[] {
  if (promise.stage === "done") return [];
  const steps: PromiseStep[] = [];
  const sent = "sent_on" in promise.told;
  if (!sent) steps.push("sent_on");
  // What the order system is still at, it says itself; what it could not do has its own buttons.
  if (state === "done") steps.push("done");
  steps.push("moved");
  return steps;
}

/** The stage and the time in one line; red where the time is over. */
export function promiseWords(
  promise: PromiseState,
  now: Date,
  at: (iso: string) => string,
): PromiseWords {
  const stage = STAGES[promise.stage];
  if (promise.stage === "done") {
    return { text: promise.told.done ? `${stage}，${at(promise.told.done)} 告诉了顾客` : stage, late: false };
  }
  const over = Date.parse(promise.due_at) < now.getTime();
  const parts = [stage, `${over ? "本该在 " : ""}${at(promise.due_at)} 前办好`];
  if (promise.times_late > 1) parts.push(`改过 ${promise.times_late} 次`);
  if (promise.added) parts.push("为耽误加补过");
  return { text: parts.join("，"), late: over || promise.stage === "given_up" };
}
