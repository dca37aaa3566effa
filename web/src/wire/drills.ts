/** Practice of staff with a simulated customer (docs/drill.md). */
import { staffRequest } from "./api";

export type DrillState = "running" | "ended" | "left";
export type DrillOutcome = "calmed" | "walked_out" | "time" | "stopped";
export type Verdict = "good" | "mixed" | "bad";

export interface ScenarioCard {
  id: string;
  title: string;
  industry: string;
  failure_name: string;
  level: number;
  minutes: number;
  anger: number;
  persona: { name: string; about: string };
  source: "written" | "recorded";
}

export interface DrillRow {
  id: string;
  title: string;
  staff: string;
  state: DrillState;
  started_at: string;
  due_at: string;
  ended_at: string | null;
  outcome: DrillOutcome | null;
  good: number | null;
  of: number | null;
  opening: number | null;
  close: number | null;
}

export interface DrillLists {
  scenarios: ScenarioCard[];
  /** Of the businesses that the account serves. */
  industries: string[];
  drills: DrillRow[];
  running: string | null;
  may: { oversee: boolean; record: boolean };
}

export interface DrillLine {
  id: string;
  by: "customer" | "trainee";
  text: string;
  at: string;
  /** Of the customer: what the line shows, and the case with it. */
  level?: number;
  heat?: number;
  /** Of the trainee, in seconds. */
  waited?: number;
  /** Of the trainee, once the practice is over. */
  marks?: { mark: string; words: string }[];
}

export interface DrillCheck {
  id: string;
  title: string;
  verdict: Verdict;
  words: string;
  lines: string[];
  quote: string;
  better: string;
}

export interface DrillPoint {
  line: string;
  at: string;
  level: number;
  heat: number;
}

export interface DrillReview {
  outcome: DrillOutcome;
  ending: string;
  checks: DrillCheck[];
  good: number;
  of: number;
  curve: DrillPoint[];
  first_answer: number;
  opening: number;
  peak: number;
  close: number;
  unasked: { title: string; line: string }[];
}

export interface Drill {
  id: string;
  practice: true;
  scenario: ScenarioCard & { patience: number };
  staff: string;
  mine: boolean;
  state: DrillState;
  started_at: string;
  due_at: string;
  ended_at: string | null;
  /** The desk's clock, by which the practice runs. */
  now: string;
  lines: DrillLine[];
  anger: { now: number; peak: number; trend: "rising" | "steady" | "falling" };
  given: {
    items: { title: string; detail: string }[];
    reason: string;
    authority: "bot" | "agent" | "manager";
  };
  review: DrillReview | null;
}

export interface DraftFact {
  title: string;
  asked: string[];
  line: string;
  given: boolean;
  hidden: boolean;
}

/** A scenario as a manager reads it before it is kept; what no form shows is sent back as it came. */
export interface Draft {
  title: string;
  failure: string;
  minutes: number;
  anger: number;
  persona: { name: string; about: string };
  opening: string[];
  facts: DraftFact[];
  better: { acknowledge: string; step: string };
  closing: string;
  [more: string]: unknown;
}

export interface ClosedCase {
  id: string;
  matter: string;
  closed_at: string;
  peak: number;
}

const at = (id: string, rest = ""): string => `/drills/${encodeURIComponent(id)}${rest}`;

export const drillsApi = {
  lists: () => staffRequest<DrillLists>("GET", "/drills"),
  team: () => staffRequest<{ drills: DrillRow[] }>("GET", "/drills/team"),
  begin: (id: string, scenario: string) =>
    staffRequest<Drill>("POST", "/drills", { id, scenario }),
  one: (id: string) => staffRequest<Drill>("GET", at(id)),
  say: (id: string, line: string, text: string) =>
    staffRequest<Drill>("POST", at(id, "/say"), { id: line, text }),
  end: (id: string) => staffRequest<Drill>("POST", at(id, "/end"), {}),
  cases: () => staffRequest<{ cases: ClosedCase[] }>("GET", "/drill-scenarios/cases"),
  draft: (closed: string) =>
    staffRequest<{ scenario: Draft }>("POST", "/drill-scenarios/draft", { case: closed }),
  keep: (closed: string, scenario: Draft, reviewed: boolean) =>
    staffRequest<{ id: string }>("POST", "/drill-scenarios/keep", {
      case: closed,
      scenario,
      reviewed,
    }),
  remove: (id: string) =>
    staffRequest<void>("DELETE", `/drill-scenarios/${encodeURIComponent(id)}`, {}),
};
