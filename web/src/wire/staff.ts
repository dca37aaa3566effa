/** What the staff pages and the desk tell each other; see docs/staff-api.md. Times are ISO 8601 in UTC, sums fen. */
import type { ChatEvent, OfferItem, OfferState } from "./contract";
import type { AftercareShown } from "./staffAftercare";

export type Act =
  | "read"
  | "handle"
  | "oversee"
  | "wording"
  | "insights"
  | "grant"
  | "audit"
  | "privacy"
  | "accounts";
export type Role = "agent" | "supervisor" | "manager" | "trainer" | "admin";
export type Presence = "online" | "busy" | "away" | "offline";

export interface Member {
  id: number;
  login: string;
  name: string;
  role: Role;
  may: Act[];
  business: string | null;
  presence: Presence;
  capacity: number;
  totp: boolean;
  must_change: boolean;
}

export interface Me {
  staff: Member;
  csrf: string;
  /** Businesses that this account serves. */
  businesses: { id: string; name: string; industry: string }[];
  /** Whether the settings name an address for video calls. */
  calls: boolean;
  /** What the sources of the generic channel are called, by their ids. */
  sources?: Record<string, string>;
}

export interface Account {
  id: number;
  login: string;
  name: string;
  role: Role;
  business: string | null;
  skills: string[];
  capacity: number;
  presence: Presence;
  totp: boolean;
  must_change: boolean;
  locked_until: string | null;
  disabled_at: string | null;
  created_at: string;
}

export interface AuditEntry {
  id: number;
  at: string;
  login: string;
  name: string;
  act: string;
  business: string | null;
  target: string | null;
  detail: Record<string, unknown>;
  address: string | null;
}

export type ClockKind = "first_response" | "next_response" | "resolution";
export type ClockState = "active" | "hit" | "missed" | "active_with_misses";

export interface Clock {
  kind: ClockKind;
  state: ClockState;
  /** Null where it does not run: see `paused` and `state`. */
  due_at: string | null;
  /** From when it shows red, before it is missed. */
  warn_at: string | null;
  paused: boolean;
  hits: number;
  misses: number;
}

export interface Label {
  id: number;
  name: string;
  colour: string;
}

/** One line of a list. */
export interface Row {
  id: string;
  business: string;
  business_id: string;
  industry: string;
  channel: string;
  customer: string;
  visibility: "public" | "private";
  matter: string;
  case: string | null;
  stage: string;
  anger: number;
  peak: number;
  trend: "rising" | "steady" | "falling";
  safety: boolean;
  /** By the queue table; higher comes first. */
  priority: number;
  /** Why it has this priority, in words. */
  why: string;
  owner: string;
  owner_name: string;
  reason: string | null;
  waiting_since: string | null;
  /** The customer has had no answer of a person since. */
  awaiting_since: string | null;
  front: boolean;
  snoozed_until: string | null;
  closed_at: string | null;
  last: string;
  last_at: string;
  unread: number;
  labels: Label[];
  /** The running clock that is due first. */
  clock: Clock | null;
  masked: boolean;
}

export interface Lists {
  rows: Row[];
  truncated: boolean;
}

export interface Colleague {
  id: number;
  name: string;
  role: Role;
  presence: Presence;
  open: number;
  capacity: number;
  skills: string[];
}

export interface AngerPoint {
  at: string;
  /** Of the message, 0 to 3. */
  level: number;
  /** Of the case after it. */
  heat: number;
  /** Id of the message's event. */
  message: string;
}

/** One remedy as the page wishes it: a kind of `recovery/remedy/catalogue.py` with its integers. */
export type Wish = { kind: string } & Record<string, string | number>;

export interface Preview {
  items: (OfferItem & { worth: number | null })[];
  worth_fen: number;
  policy_fen: number;
  floor_fen: number;
  /** Authority that is needed. */
  needed: "agent" | "manager";
  allowed: boolean;
  departs: boolean;
  /** In words, for the member of staff. */
  why: string;
  /** What keeps it from being offered at all, in words; null where nothing does. */
  refused: string | null;
}

export interface KindOfRemedy {
  kind: string;
  label: string;
  parameters: { name: string; label: string; optional: boolean }[];
}

export interface RemedyRequest {
  id: string;
  conversation: string;
  customer: string;
  matter: string;
  business: string;
  asked_by: string;
  asked_by_id: number;
  asked_at: string;
  reason: string;
  items: (OfferItem & { worth: number | null })[];
  worth_fen: number;
  policy_fen: number;
  needed: "agent" | "manager";
  state: "open" | "granted" | "refused" | "withdrawn";
  decided_by: string | null;
  decided_at: string | null;
  answer: string | null;
}

export interface StaffOffer {
  id: string;
  state: OfferState;
  items: (OfferItem & { worth?: number | null })[];
  reason: string;
  rules: string[];
  policy: string;
  floor_fen: number;
  goodwill_fen: number;
  provisional: boolean;
  expires: string;
  /** Name of who offered it. */
  by: string;
  /** Why it departs from the policy; null where it does not. */
  departure: string | null;
}

export interface RemedyState {
  key: string;
  /** Kind and name. */
  remedy: string;
  title: string;
  state: "todo" | "done" | "refused" | "failed";
  receipt: Record<string, unknown> | null;
  attempts: number;
  problem: string | null;
  /** By when it was promised and how far it is; absent where nothing is kept of it. */
  promise?: PromiseState | null;
}

export interface PromiseState {
  stage: "accepted" | "sent_on" | "done" | "late" | "given_up";
  promised_at: string;
  due_at: string;
  /** When the customer was told of each stage. */
  told: Record<string, string>;
  times_late: number;
  /** Something was added because it was late. */
  added: boolean;
}

export interface Advice {
  authority: "bot" | "agent" | "manager";
  rules: string[];
  policy: string;
  day: string;
  reason: string;
  /** `wish`: the same as one would wish it; absent in advice of before it was kept. */
  items: (OfferItem & { worth: number | null; wish?: Wish })[];
  floor_fen: number;
  goodwill_fen: number;
  evidence: string;
  lacks_evidence: boolean;
  provisional: boolean;
  facts: Record<string, unknown>;
}

/** The facts that staff set; values as in `recovery/remedy/facts.py`. */
export type FactName = "fault" | "finding" | "harm";
export type Facts = Partial<Record<FactName, string>>;

export interface StaffCase {
  id: string;
  stage: string;
  matter: string;
  also: string;
  facts: Record<string, unknown>;
  order_number: string | null;
  anger: { opening: number; peak: number; now: number; trend: string } | null;
  safety: boolean;
  reason: string | null;
  promised_by: string | null;
  outcome: string | null;
  /** Newest last. */
  offers: StaffOffer[];
  remedies: RemedyState[];
  advice: Advice | null;
  no_advice: string | null;
  /** What this member may still offer, in words. */
  may_offer: { authority: "agent" | "manager" | null; departure_fen: number; words: string };
}

export interface OrderShown {
  number: string;
  product: string;
  paid_fen: number;
  bought_on: string | null;
  received_on: string | null;
  status: string;
  tier: string;
  items: { sku: string; name: string; quantity: number; price_fen: number }[];
}

export interface EarlierCase {
  id: string;
  conversation: string | null;
  matter: string;
  opened_at: string;
  stage: string;
  outcome: string | null;
  /** What was given, in words. */
  given: string;
}

export interface Note {
  id: string;
  kind: "note" | "whisper" | "transfer" | "handback" | "request";
  by: string;
  by_id: number;
  text: string;
  mentions: number[];
  at: string;
}

/** What WeChat still lets us send to this customer. */
export interface Quota {
  left: number;
  /** Until when; null where nothing can be sent. */
  until: string | null;
  /** So many wait. */
  held: number;
  /** Of so many it is not known whether they arrived. */
  unsure: number;
  /** All of it in a sentence. */
  words: string;
}

/** Asked when a case is closed: why it happened, and who sees to it that it does not again. */
export interface Lesson {
  /** As confirmed before, else as the failure suggests; empty where nothing does. */
  cause: string;
  confirmed: boolean;
  /** The likely ones first. */
  causes: { name: string; label: string }[];
  action: string;
  action_by: string;
  /** A day. */
  action_due: string;
}

export interface FollowUp {
  state: "waiting" | "asked" | "answered" | "ended" | "cancelled" | null;
  /** Short name of why it ended or is not asked. */
  why: string | null;
  /** Which asking this is, or will be; 2 is the last. */
  round: number;
  due_at: string | null;
  asked_at: string | null;
  /** 1 to 5. */
  rating: number | null;
  rated_at: string | null;
  /** The answer to the open question. */
  words: string | null;
  /** A member of staff asks, on the phone. */
  by_person: boolean;
  /** The customer never wants to be asked again. */
  refused: boolean;
  may_plan: boolean;
  may_cancel: boolean;
  may_answer: boolean;
}

export interface Detail {
  conversation: Row;
  case: StaffCase | null;
  /** What happened in one paragraph, facts only. */
  summary: string;
  anger: AngerPoint[];
  customer: { name: string; since: string; proved: boolean; channel: string };
  order: OrderShown | null;
  earlier: EarlierCase[];
  clocks: Clock[];
  notes: Note[];
  labels: Label[];
  requests: RemedyRequest[];
  /** How it went, as asked afterwards; null where there is no case. */
  follow_up?: FollowUp | null;
  /** What the customer wishes, and what was offered after the remedy; absent in older desks. */
  aftercare?: AftercareShown;
  kinds: KindOfRemedy[];
  outcomes: { name: string; label: string }[];
  /** What may lie behind the case, and what is done about it; null where there is no case. */
  lesson: Lesson | null;
  /** Stages that the case may be given back at; the first one is where it stands. */
  stages: { name: string; label: string }[];
  looking: { id: number; name: string; typing: boolean }[];
  /** Messages that WeChat still lets us send; null on other channels. */
  quota: Quota | null;
  /** Ids of events that wait until WeChat takes them. */
  held: string[];
  /** Ids of events that could not be sent. */
  undelivered: string[];
  /** Ids of events of which WeChat has not said whether they arrived. */
  unsure: string[];
  public: ChatEvent[];
  private: ChatEvent[];
  seq: number;
}

export interface Suggestion {
  title: string;
  text: string;
}

export interface Warning {
  kind: "blame" | "argue" | "promise" | "apology" | "private" | "shout";
  /** What to mind, in a sentence. */
  text: string;
  /** The words meant. */
  words: string;
}

export interface Canned {
  id: number;
  business: string | null;
  industry: string | null;
  anger_least: number;
  anger_most: number;
  title: string;
  /** With variables, or filled in where a conversation was named. */
  text: string;
  shortcut: string | null;
  uses: number;
}

export interface Notice {
  id: number;
  kind: "mention" | "whisper" | "silent" | "transfer" | "step_in" | "request" | "decided" | "assigned" | "attention" | "clock" | "undelivered" | "follow_up" | "alert" | "report";
  conversation: string | null;
  text: string;
  at: string;
  read_at: string | null;
}

export interface Board {
  at: string;
  /** In the queue by anger, 0 to 3. */
  waiting: number[];
  longest_wait_seconds: number;
  with_bot: number;
  with_staff: number;
  snoozed: number;
  red: number;
  missed_today: number;
  agents: (Colleague & { red: number; longest_silence_seconds: number })[];
  /** The last 24 hours, by hour in the zone of the business: came in, answered first, closed. */
  hours: { hour: string; opened: number; first_answers: number; closed: number }[];
  /** Open ones by industry. */
  industries: { industry: string; open: number; angry: number }[];
}

export type StaffServerFrame =
  | { type: "rows"; rows: Row[]; gone: string[] }
  | { type: "detail"; conversation: string }
  | { type: "looking"; conversation: string; who: { id: number; name: string; typing: boolean }[] }
  | { type: "notice"; notice: Notice }
  | { type: "presence"; presence: Presence };
