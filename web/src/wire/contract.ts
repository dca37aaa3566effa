/**
 * The shapes that travel between the pages and the desk; those of the staff pages alone stand in
 * `staff.ts`.
 *
 * They mirror `docs/architecture.md`, "Customer's pages -> desk".
 */
import type { StaffServerFrame } from "./staff";

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

/** How a customer can go on in WeChat. */
export interface WeChatAccount {
  /** As customers find it. */
  name: string;
  /** The conversation is read there already. */
  joined: boolean;
}

/** A QR code that leads into WeChat, once. */
export interface CrossingCode {
  /** By which the page asks what became of it. */
  id: string;
  svg: string;
  name: string;
  expires: string;
}

export interface Crossing {
  state: "open" | "used" | "expired";
  /** The private conversation that it has led to. */
  conversation: string | null;
}

export interface Invitation {
  matter: string;
  business: string;
  state: InvitationState;
  /** Null where the business has no account that customers can be led to. */
  wechat: WeChatAccount | null;
}

export interface PrivateConversation {
  business: string;
  business_id: string;
  agent: string;
  status: ServiceStatus;
  matter: string;
  wechat: WeChatAccount | null;
}

export interface OwnConversation {
  id: string;
  business: string;
  matter: string;
  open: boolean;
  /** Where it is spoken in now. */
  channel: string;
  last_at: string;
  /** Other chats about the same case, under other names of the same person. */
  also: string[];
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

/** How a complaint came that somebody entered by hand. */
export type HandChannel = "phone" | "street" | "other";

/** How a message came that nobody typed here as it stands; `voice`: WeChat heard the words. */
export type HeardVia = HandChannel | "voice";

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
  /** Staff wrote down what was said elsewhere, or words were made of a voice. */
  via?: HeardVia;
  /** Name of who wrote it down; absent in what is older. */
  by?: string;
  /** Where it leads, a path of ours or an address; shown to the customer alone. */
  link?: { title: string; url: string } | null;
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

/** A video call that the person who answers offers. */
export interface CallEvent extends EventBase {
  kind: "call";
  /** Opens the room; absent for staff who do not see the conversation whole. */
  url: string | null;
  text: string;
  name: string;
}

/** What every customer is told once, for example how personal data are dealt with. */
export interface NoticeEvent extends EventBase {
  kind: "notice";
  text: string;
}

export type ChatEvent =
  | MessageEvent
  | InvitationEvent
  | ReminderEvent
  | OfferEvent
  | OwnerEvent
  | ProgressEvent
  | ClosedEvent
  | NoticeEvent
  | CallEvent;

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
  | { type: "pong" }
  /** Where this customer stands in the queue, counted from 1; minutes only where measured. */
  | { type: "queue"; position: number; minutes: number | null }
  | StaffServerFrame;

export type ClientFrame =
  | { type: "say"; id: string; text: string; button?: string }
  | { type: "typing" }
  | { type: "ping" }
  | { type: "watch"; conversation: string | null; after: number };

/** The longest message that the desk takes, in Unicode code points. */
export const MESSAGE_LIMIT = 2000;

const FRAME_TYPES = new Set([
  "welcome",
  "event",
  "ack",
  "refused",
  "typing",
  "status",
  "pong",
  "queue",
  // What follows comes to staff alone.
  "rows",
  "detail",
  "looking",
  "notice",
  "presence",
]);

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
  if (frame["type"] === "rows" && !(Array.isArray(frame["rows"]) && Array.isArray(frame["gone"]))) {
    return null;
  }
  if (frame["type"] === "looking" && !Array.isArray(frame["who"])) return null;
  if (frame["type"] === "notice" && typeof frame["notice"] !== "object") return null;
  return value as ServerFrame;
}

/** The length of a text as the desk counts it. */
export function textLength(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
