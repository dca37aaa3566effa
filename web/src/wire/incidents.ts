/** Incidents: one cause that concerns several customers (docs/incidents.md). */
import { staffRequest } from "./api";
import type { Warning } from "./staff";

export type IncidentState = "proposed" | "single" | "open" | "closed" | "dismissed";
export type IncidentList = "living" | "single" | "closed";
export type MemberState = "waiting" | "told" | "joined" | "proposed" | "left" | "unreachable";

export interface IncidentRow {
  id: string;
  business: string;
  business_name: string;
  failure: string;
  failure_name: string;
  title: string;
  place: string | null;
  source: "order_system" | "staff" | "bot";
  state: IncidentState;
  urgent: boolean;
  rule: string | null;
  /** Why the bot takes the cases for one. */
  reason: string | null;
  opened_at: string;
  opened_by: string;
  closed_at: string | null;
  closed_by: string | null;
  members: number;
  proposed: number;
  waiting: number;
  unreachable: number;
}

export interface IncidentMember {
  id: number;
  state: MemberState;
  customer: string;
  order: string;
  matter: string;
  case: string | null;
  conversation: string | null;
  private: boolean;
  owner: "bot" | "queue" | "staff" | null;
  stage: string | null;
  offer: { id: string; state: string; items: { title: string; detail: string }[] } | null;
  /** Why what they are offered is not what the others get. */
  differs: string[];
  /** Why they are not reached, or a person decides. */
  why: string | null;
  told_at: string | null;
  due_at: string | null;
  added_at: string;
}

export interface IncidentMessage {
  id: string;
  kind: "words" | "offer";
  text: string;
  reason: string | null;
  by: string;
  at: string;
  told: number[];
  waiting: number[];
  due: string | null;
  left_out: { member: number; why: string | null }[];
}

export interface Incident extends IncidentRow {
  remedies: { by: string; items: { title: string; detail: string }[] } | null;
  members_list: IncidentMember[];
  messages: IncidentMessage[];
  /** Until when what is not urgent waits; null: it goes out at once. */
  quiet_until: string | null;
  variables: string[];
  may: { oversee: boolean };
}

export interface Preview {
  examples: string[];
  to: number;
  of: number;
  quiet_until: string | null;
  warnings: Warning[];
}

export interface Sent {
  message: string;
  to: number;
  due: string;
  waits: boolean;
}

const at = (id: string, rest = ""): string => `/incidents/${encodeURIComponent(id)}${rest}`;

export const incidentsApi = {
  list: (state: IncidentList) =>
    staffRequest<{ incidents: IncidentRow[] }>("GET", `/incidents?state=${state}`),
  ofConversation: (conversation: string) =>
    staffRequest<{ incidents: IncidentRow[]; of: string[] }>(
      "GET",
      `/incidents?conversation=${encodeURIComponent(conversation)}`,
    ),
  one: (id: string) => staffRequest<Incident>("GET", at(id)),
  begin: (
    id: string,
    made: { business: string; title: string; failure: string | null; conversation: string | null },
  ) => staffRequest<{ incident: string }>("POST", "/incidents", { id, ...made }),
  join: (id: string, conversation: string) =>
    staffRequest<{ member: number }>("POST", at(id, "/members"), { conversation }),
  leave: (id: string, member: number) => staffRequest<void>("DELETE", at(id, `/members/${member}`)),
  accept: (id: string, member: number) =>
    staffRequest<void>("POST", at(id, `/members/${member}/accept`), {}),
  confirm: (id: string) => staffRequest<void>("POST", at(id, "/confirm"), {}),
  dismiss: (id: string) => staffRequest<void>("POST", at(id, "/dismiss"), {}),
  close: (id: string) => staffRequest<void>("POST", at(id, "/close"), {}),
  preview: (id: string, text: string) =>
    staffRequest<Preview>("POST", at(id, "/preview"), { text }),
  /** @param seen the warnings were read, and it goes out all the same. */
  tell: (id: string, messageId: string, text: string, urgent: boolean, seen: boolean) =>
    staffRequest<Sent>("POST", at(id, "/tell"), { id: messageId, text, urgent, seen }),
  /** @param more in fen, as a voucher for each beside what the policy gives; null for none. */
  remedies: (id: string, messageId: string, more: number | null, reason: string, urgent: boolean) =>
    staffRequest<Sent>("POST", at(id, "/remedies"), {
      id: messageId,
      reason,
      urgent,
      ...(more === null ? {} : { remedies: [{ kind: "voucher", fen: more }] }),
    }),
};
