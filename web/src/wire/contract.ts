/**
 * The shapes that travel between the pages and the desk.
 *
 * They mirror `docs/architecture.md`, "Customer's pages -> desk" and "Staff page -> desk".
 */

/** How far Rasa is: answering, still loading, or slow to answer. */
export type ServiceStatus = "ready" | "warming" | "slow";

export interface Room {
  id: string;
  name: string;
  business: string;
  industry: string;
  welcome: string;
}

export interface Customer {
  id: string;
  name: string;
  proved: boolean;
}

export interface RoomState {
  room: Room;
  /** The caller's own public conversation in this room. */
  conversation: string;
  status: ServiceStatus;
}

export type InvitationState = "open" | "used" | "expired";

export interface Invitation {
  matter: string;
  business: string;
  state: InvitationState;
}

export interface PrivateConversation {
  business: string;
  agent: string;
  status: ServiceStatus;
  matter: string;
}

export interface OwnConversation {
  id: string;
  business: string;
  matter: string;
  open: boolean;
}

// Events of a stream ------------------------------------------------------------------------

interface EventBase {
  id: string;
  /** ISO 8601, UTC. */
  at: string;
}

export type Author = "customer" | "bot" | "staff" | "system";

export interface ReplyButton {
  title: string;
  /** Signed by the desk; goes back unchanged in `say.button`. */
  token: string;
  style?: string;
}

/** A picture that a customer sent; its size in pixels is known before it is loaded. */
export interface Picture {
  id: string;
  width: number;
  height: number;
}

export interface MessageEvent extends EventBase {
  kind: "message";
  author: Author;
  name: string;
  mine: boolean;
  text: string;
  reply_to?: string | null;
  buttons?: ReplyButton[] | null;
  client_id?: string | null;
  /** Sent instead of words; `text` is a stand-in then. */
  picture?: Picture | null;
}

export interface InvitationEvent extends EventBase {
  kind: "invitation";
  token: string;
  matter: string;
  text: string;
  expires: string;
}

export interface ReminderEvent extends EventBase {
  kind: "reminder";
  token: string;
  text: string;
}

export type OfferState = "open" | "accepted" | "refused" | "replaced";

/** What is owed by law or contract, and what is given beyond it. */
export type OfferPart = "floor" | "goodwill";

export interface OfferItem {
  title: string;
  detail: string;
  /** Absent in offers of before the two were told apart. */
  part?: OfferPart;
}

export interface OfferEvent extends EventBase {
  kind: "offer";
  offer: string;
  items: OfferItem[];
  reason: string;
  steps: string[];
  expires: string;
  state: OfferState;
  /** Something is still being looked into: nothing of this is final. */
  provisional?: boolean;
  /** What can be answered with one press; absent once it is decided. */
  buttons?: ReplyButton[] | null;
}

export interface OwnerEvent extends EventBase {
  kind: "owner";
  owner: "bot" | "queue" | "staff";
  name: string;
  text: string;
}

export interface ProgressEvent extends EventBase {
  kind: "progress";
  title: string;
  text: string;
  state: "running" | "done" | "late";
}

export interface ClosedEvent extends EventBase {
  kind: "closed";
  text: string;
}

export type ChatEvent =
  | MessageEvent
  | InvitationEvent
  | ReminderEvent
  | OfferEvent
  | OwnerEvent
  | ProgressEvent
  | ClosedEvent;

/** A conversation changed; only members of staff get this. */
export interface ChangedEvent {
  kind: "changed";
  conversation: string;
}

export type StreamEvent = ChatEvent | ChangedEvent;

// Frames -------------------------------------------------------------------------------------

export type RefusalCode =
  | "too_long"
  | "empty"
  | "too_fast"
  | "bad_frame"
  | "bad_button"
  | "closed";

export type ServerFrame =
  | { type: "welcome"; after: number; own?: number; status?: ServiceStatus }
  | { type: "event"; stream: string; seq: number; event: StreamEvent }
  | { type: "ack"; id: string; state: "sent"; repeated: boolean }
  | { type: "refused"; id: string; code: RefusalCode; message: string; retry: boolean }
  | { type: "typing"; on: boolean; who: "bot" | "staff" }
  | { type: "typing"; who: "customer"; conversation: string }
  | { type: "status"; status: ServiceStatus }
  | { type: "pong" };

export type ClientFrame =
  | { type: "say"; id: string; text: string; button?: string }
  | { type: "typing" }
  | { type: "ping" }
  | { type: "watch"; conversation: string; after: number };

/** The longest message that the desk takes, in Unicode code points. */
export const MESSAGE_LIMIT = 2000;

const FRAME_TYPES = new Set(["welcome", "event", "ack", "refused", "typing", "status", "pong"]);

/**
 * Reads one frame of the desk.
 *
 * @returns the frame, or null for anything that is not one: a page outlives the desk's next
 *   release, so what it does not know is passed over and never breaks it.
 */
export function readFrame(raw: unknown): ServerFrame | null {
  if (typeof raw !== "string") return null;
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const frame = value as Record<string, unknown>;
  if (typeof frame["type"] !== "string" || !FRAME_TYPES.has(frame["type"])) return null;
  if (frame["type"] === "event") {
    const event = frame["event"];
    const whole =
      typeof frame["stream"] === "string" &&
      Number.isInteger(frame["seq"]) &&
      typeof event === "object" &&
      event !== null &&
      typeof (event as Record<string, unknown>)["kind"] === "string";
    if (!whole) return null;
  }
  if ((frame["type"] === "ack" || frame["type"] === "refused") && typeof frame["id"] !== "string") {
    return null;
  }
  return value as ServerFrame;
}

/** The length of a text as the desk counts it. */
export function textLength(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

// Staff --------------------------------------------------------------------------------------

export interface StaffMember {
  id: string | number;
  name: string;
  role: string;
}

export interface DeskRow {
  id: string;
  business: string;
  industry: string;
  customer: string;
  matter: string;
  anger: number | null;
  peak: number | null;
  priority: number | string;
  stage: string;
  /** Where an answer is read: by everybody in the room, or by the customer alone. */
  visibility: "public" | "private";
  /** `bot`, `queue` or `staff:<id>`. */
  owner: string;
  owner_name: string | null;
  waiting_since: string | null;
  reason: string | null;
  last: string | null;
  unread: number;
}

export interface DeskLists {
  queue: DeskRow[];
  mine: DeskRow[];
  others: DeskRow[];
  bot: DeskRow[];
}

/** The facts that staff set; values as in `recovery/remedy/facts.py`. */
export type FactName = "fault" | "finding" | "harm";
export type Facts = Partial<Record<FactName, string>>;

/** What the policy would give; sums in fen. */
export interface PolicyAdvice {
  authority: string;
  rules: string[];
  policy: string;
  reason: string;
  items: (OfferItem & { worth?: number | null })[];
  floor_fen: number;
  goodwill_fen: number;
  /** What follows is absent in advice of before it was kept. */
  day?: string;
  evidence?: string;
  lacks_evidence?: boolean;
  provisional?: boolean;
  facts?: Record<string, unknown>;
}

export interface DeskOffer {
  id: string;
  state: OfferState;
  items: OfferItem[];
  reason: string;
  rules: string[];
  policy?: string;
  floor_fen?: number;
  goodwill_fen?: number;
  provisional?: boolean;
}

export interface DeskCase {
  facts?: Record<string, unknown> | null;
  offers?: DeskOffer[] | null;
  reason?: string | null;
  /** A second matter of the customer's, in words. */
  also?: string | null;
  /** With the facts as they stand; null where there is none, and `no_advice` says why. */
  advice?: PolicyAdvice | null;
  no_advice?: string | null;
  [key: string]: unknown;
}

export interface DeskConversation {
  conversation: DeskRow;
  case: DeskCase | null;
  public: ChatEvent[];
  private: ChatEvent[];
  seq: number;
}
