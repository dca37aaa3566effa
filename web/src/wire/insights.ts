/** The staff calls of the insights: what cases taught. See docs/insights.md. */
import { staffDownload, staffRequest } from "./api";

export type Unit = "count" | "seconds" | "percent" | "fen" | "score" | "points";

export interface Figure {
  id: string;
  group: string;
  name: string;
  unit: Unit;
  /** Null where there is nothing to count, or too little to say anything. */
  value: number | null;
  /** Cases counted. */
  n: number;
  /** Of how many, where the figure is a share. */
  of: number | null;
  /** Why there is no value, or that there are few. */
  low: string;
  /** How it is worked out. */
  how: string;
  /** In the period of the same length before. */
  before: number | null;
  /** Of what the number of one case is, in the list of the cases behind it. */
  case_unit: "yesno" | Exclude<Unit, "percent">;
}

export interface Named {
  id: string;
  name: string;
}

export interface Counted {
  id: string;
  count: number;
}

export interface Cause {
  cause: string;
  name: string;
  count: number;
  /** Of those, said by staff; the rest is what the failure suggests. */
  confirmed: number;
  share: number;
  cumulative: number;
}

export interface Alert {
  id: string;
  name: string;
  day: string;
  count: number;
  expected: number;
  state: "open" | "seen";
}

export interface Gap {
  dimension: string;
  name: string;
  expected: number | null;
  perceived: number | null;
  gap: number | null;
  n: number;
}

export interface Fairness {
  group: "anger" | "tier" | "channel";
  key: string | number | null;
  name: string;
  n: number;
  offered_share: number | null;
  mean_fen: number | null;
}

export interface Budget {
  business: string;
  name: string;
  spent_fen: number;
  budget_fen: number | null;
}

export interface CorrectiveAction {
  case: string;
  cause: string;
  /** What the cause is called. */
  name: string;
  action: string;
  by: string | null;
  due: string | null;
  done: string | null;
}

export interface Day {
  day: string;
  cases: number;
  anger_opening: number | null;
  closed: number;
}

export interface Insights {
  period: { from: string; to: string };
  cases: number;
  partial: { behind: number };
  filters: { businesses: Named[]; industries: string[]; channels: string[]; failures: Named[] };
  figures: Figure[];
  series: { days: Day[] };
  pareto: Cause[];
  failures: (Counted & Named)[];
  channels: Counted[];
  alerts: Alert[];
  servqual: Gap[];
  fairness: Fairness[];
  budgets: Budget[];
  actions: CorrectiveAction[];
}

export interface CaseBehind {
  id: string;
  conversation: string | null;
  opened_at: string;
  customer: string;
  failure: string;
  value: number | null;
}

export interface CasesBehind {
  figure: string;
  name: string;
  how: string;
  unit: Figure["case_unit"];
  total: number;
  page: number;
  page_size: number;
  cases: CaseBehind[];
}

export interface ReportHead {
  id: string;
  business: string;
  /** Of the business. */
  name: string;
  week: string;
  made_at: string;
}

export interface Report extends ReportHead {
  content: ReportContent;
}

/** What a weekly report holds: the figures of that week as they were when it was made. */
export type ReportContent = Partial<Insights> & {
  changed?: string[];
};

/** What is looked at, as the desk takes it. */
export type Asked = Record<string, string>;

const asked = (query: Asked): string => new URLSearchParams(query).toString();
const part = encodeURIComponent;

export const insightsApi = {
  all: (query: Asked) => staffRequest<Insights>("GET", `/insights?${asked(query)}`),
  /** @param page from 0. */
  cases: (figure: string, query: Asked, page: number) =>
    staffRequest<CasesBehind>(
      "GET",
      `/insights/cases?${asked({ ...query, figure, page: String(page) })}`,
    ),
  seen: (alert: string) => staffRequest<unknown>("POST", `/insights/alerts/${part(alert)}/seen`, {}),
  done: (caseId: string) =>
    staffRequest<unknown>("POST", `/insights/actions/${part(caseId)}/done`, {}),
  reports: () => staffRequest<{ reports: ReportHead[] }>("GET", "/insights/reports"),
  report: (id: string) => staffRequest<Report>("GET", `/insights/reports/${part(id)}`),
  workbook: (query: Asked) => staffDownload(`/insights/export.xlsx?${asked(query)}`),
  paper: (query: Asked) => staffDownload(`/insights/export.pdf?${asked(query)}`),
  reportPaper: (id: string) => staffDownload(`/insights/reports/${part(id)}/export.pdf`),
};
