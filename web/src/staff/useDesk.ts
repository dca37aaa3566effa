import { readonly, ref, shallowRef } from "vue";
import { PictureQueue } from "../chat/pictureQueue";
import type { Prepared } from "../chat/shrink";
import { placeOf, Timeline } from "../chat/timeline";
import { ApiError } from "../wire/api";
import type { ChatEvent } from "../wire/contract";
import type { Outgoing } from "../wire/outbox";
import type { Detail } from "../wire/staff";
import { staffApi } from "../wire/staffApi";
import { Answers, type Held } from "./conversation/answers";
import { unsentConversations } from "./drafts";
import { live } from "./useLive";
import { useRows } from "./useRows";
import { useSession } from "./useSession";

/** Changes that come close together are read once. */
const GATHER_MS = 150;
const BURST_MS = 16;
/** The customer's page says so every three seconds while something is being written. */
const TYPING_ENDS_MS = 5_000;

const session = useSession();
const store = useRows();

const opened = ref<string | null>(null);
const detail = shallowRef<Detail | null>(null);
const missing = ref(false);
/** What went wrong last, in plain words. */
const trouble = ref("");
/** Whether the customer of the open conversation is writing. */
const typing = ref(false);
const looking = shallowRef<Detail["looking"]>([]);
const answers = shallowRef<readonly Outgoing[]>([]);
const held = shallowRef<Held | null>(null);
const pictures = shallowRef<readonly Outgoing[]>([]);

let parts = { public: new Timeline(), private: new Timeline() };
/** The events known of the open conversation, so that what is new to it is told apart. */
let known = new Set<string>();
let showTimer: ReturnType<typeof setTimeout> | undefined;
let readTimer: ReturnType<typeof setTimeout> | undefined;
let typingEnds: ReturnType<typeof setTimeout> | undefined;
const outgoing = new Map<string, Answers>();
const queues = new Map<string, PictureQueue>();

/** Shows what went wrong, unless the session itself is what went wrong. */
function tell(error: unknown): void {
  if (!(error instanceof ApiError)) throw error;
  if (!session.refused(error)) trouble.value = error.message;
}

function readSoon(): void {
  readTimer ??= setTimeout(() => {
    readTimer = undefined;
    // Reading the open conversation clears its count. Behind a hidden window nobody reads: there
    // the count has to grow.
    if (!document.hidden) void read();
  }, GATHER_MS);
}

async function read(): Promise<void> {
  const id = opened.value;
  if (!id) return;
  try {
    const answer = await staffApi.open(id);
    if (id !== opened.value) return;
    show(answer);
    if (!document.hidden) live.watch(id, answer.seq);
  } catch (error) {
    if (id !== opened.value) return;
    if (error instanceof ApiError && error.status === 404) missing.value = true;
    else tell(error);
  }
}

function seat(side: "public" | "private", event: ChatEvent): void {
  const isNew = !known.has(event.id);
  known.add(event.id);
  parts[side].add("private", event);
  if (!isNew || event.kind !== "message") return;
  if (event.author === "customer") typing.value = false;
  if (event.author === "staff" && event.name === session.me.value?.name && opened.value) {
    outgoing.get(opened.value)?.shown(event.text);
  }
}

const said = (side: "public" | "private"): ChatEvent[] =>
  parts[side].entries().map((entry) => entry.event);

function show(answer: Detail): void {
  missing.value = false;
  const first = detail.value === null;
  // What came live while the answer was on its way is not in it, and stays.
  for (const side of ["public", "private"] as const) {
    for (const event of answer[side]) {
      if (first) known.add(event.id);
      seat(side, event);
    }
  }
  detail.value = { ...answer, public: said("public"), private: said("private") };
  looking.value = answer.looking;
  outgoing.get(answer.conversation.id)?.settle();
  const queue = queues.get(answer.conversation.id);
  for (const item of pictures.value) if (item.state === "sent") queue?.shown(item.id);
}

/** Events that come in one burst are shown in one go. */
function heard(stream: string, event: ChatEvent): void {
  if (!detail.value) return;
  seat(placeOf(stream) === "private" ? "private" : "public", event);
  showTimer ??= setTimeout(() => {
    showTimer = undefined;
    const open = detail.value;
    if (open) detail.value = { ...open, public: said("public"), private: said("private") };
  }, BURST_MS);
}

live.on("event", ({ stream, event }) => {
  if (event.kind === "changed") {
    if (event.conversation === opened.value) readSoon();
    return;
  }
  heard(stream, event);
});
live.on("detail", ({ conversation }) => {
  if (conversation === opened.value) readSoon();
});
live.on("looking", ({ conversation, who }) => {
  if (conversation === opened.value) looking.value = who;
});
live.on("typing", ({ conversation }) => {
  if (conversation !== opened.value) return;
  clearTimeout(typingEnds);
  typing.value = true;
  typingEnds = setTimeout(() => (typing.value = false), TYPING_ENDS_MS);
});
live.on("open", () => {
  if (opened.value) readSoon();
  resume();
});
store.onChange((changes) => {
  const open = detail.value;
  const found = changes.find(({ row }) => row.id === opened.value)?.row;
  if (!open || !found) return;
  const news = found.unread > open.conversation.unread;
  const changedHands = found.owner !== open.conversation.owner || found.stage !== open.conversation.stage;
  detail.value = { ...open, conversation: found };
  if (news || changedHands) readSoon();
});

if (typeof document !== "undefined") {
  document.addEventListener("visibilitychange", () => {
    if (!opened.value) return;
    // What a page watches counts as read by its owner; nobody reads behind a hidden window.
    if (document.hidden) live.watch(null);
    else readSoon();
  });
}

/** Sends whatever waits, also of conversations that are not open. */
function resume(): void {
  const account = session.me.value?.id;
  if (account === undefined) return;
  for (const id of unsentConversations(account)) answersOf(id);
  for (const one of outgoing.values()) one.resume();
  for (const queue of queues.values()) queue.resume();
}

function answersOf(id: string): Answers {
  const there = outgoing.get(id);
  if (there) return there;
  const made: Answers = new Answers(session.me.value?.id ?? 0, id, {
    changed: (items) => {
      if (opened.value === id) answers.value = items;
    },
    held: (what) => {
      if (opened.value === id) held.value = what;
    },
    taken: () => {
      if (opened.value === id) readSoon();
      else made.settle();
    },
    refused: (error) => {
      if (session.refused(error)) return;
      if (error.status === 409) readSoon();
    },
  });
  outgoing.set(id, made);
  return made;
}

function queueOf(id: string): PictureQueue {
  const there = queues.get(id);
  if (there) return there;
  const made = new PictureQueue(
    (clientId, content, progress) => staffApi.sendPicture(id, clientId, content, progress),
    (items) => {
      if (opened.value !== id) return;
      pictures.value = items;
      if (items.some((item) => item.state === "sent")) readSoon();
    },
  );
  queues.set(id, made);
  return made;
}

async function open(id: string | null): Promise<void> {
  if (id !== null && id === opened.value) return;
  clearTimeout(readTimer);
  clearTimeout(showTimer);
  readTimer = showTimer = undefined;
  opened.value = id;
  detail.value = null;
  parts = { public: new Timeline(), private: new Timeline() };
  known = new Set();
  missing.value = typing.value = false;
  trouble.value = "";
  looking.value = [];
  pictures.value = [];
  const mine = id ? answersOf(id) : null;
  answers.value = mine?.all() ?? [];
  held.value = mine?.held ?? null;
  if (id) await read();
  else live.watch(null);
}

/** Does something to the open conversation; whatever comes of it, shows how things stand. */
async function act(work: (id: string) => Promise<unknown>): Promise<boolean> {
  const id = opened.value;
  if (!id) return false;
  trouble.value = "";
  let done = true;
  try {
    await work(id);
  } catch (error) {
    done = false;
    tell(error);
  }
  if (session.me.value && id === opened.value) await read();
  return done;
}

function stop(): void {
  for (const one of outgoing.values()) one.end();
  outgoing.clear();
  for (const queue of queues.values()) queue.end();
  queues.clear();
  void open(null);
}

session.onLeave(stop);

const desk = {
  opened: readonly(opened),
  detail,
  missing: readonly(missing),
  trouble,
  typing: readonly(typing),
  looking,
  answers,
  held,
  pictures,
  open,
  read,
  readSoon,
  act,
  tell,
  take: () => act((id) => staffApi.take(id)),
  stepIn: () => act((id) => staffApi.stepIn(id)),
  answer(text: string): void {
    if (opened.value) answersOf(opened.value).send(text);
  },
  retry(id: string): void {
    if (!opened.value || queueOf(opened.value).again(id)) return;
    answersOf(opened.value).again(id);
  },
  /** Sends an answer although it has warnings. */
  confirm(id: string): void {
    if (opened.value) answersOf(opened.value).again(id, true);
  },
  /** Gives an answer or a picture up. Returns its words. */
  discard(id: string): string {
    if (!opened.value) return "";
    queueOf(opened.value).discard(id);
    return answersOf(opened.value).discard(id);
  },
  sendPicture(prepared: Prepared): void {
    if (opened.value) queueOf(opened.value).add(prepared, new Date().toISOString());
  },
};

/** The open conversation, and what can be done in it; one for the whole page. */
export const useDesk = (): typeof desk => desk;
