import { computed, onScopeDispose, ref, shallowRef } from "vue";
import { customerApi } from "../wire/api";
import type { ChatEvent, ServiceStatus } from "../wire/contract";
import { Outbox, tabStorage, type Outgoing } from "../wire/outbox";
import { LiveSocket, type Connection, type Cursor } from "../wire/socket";
import { PictureQueue } from "./pictureQueue";
import type { Prepared } from "./shrink";
import { placeOf, Timeline, type Entry } from "./timeline";

/** Events that come in one burst (a whole history, say) are shown in one go. */
const GATHER_MS = 16;
/** A typing sign that is never taken back ends by itself. */
const TYPING_ENDS_MS = 10_000;
const TYPING_EVERY_MS = 3_000;
/** After this long without an event the history has been shown, and news is news. */
const SETTLED_MS = 400;

export interface ChatOptions {
  path: string;
  cursors: readonly Cursor[];
  /** The private conversation that pictures are sent to; absent where none can be. */
  conversation?: string;
  /** See `SocketOptions.revive`. */
  revive?: () => Promise<boolean>;
}

/** One live conversation: what was said, what is being sent, and how the connection does. */
export function useChat(options: ChatOptions) {
  const timeline = new Timeline();
  const entries = shallowRef<readonly Entry[]>([]);
  const outgoing = shallowRef<readonly Outgoing[]>([]);
  const pictures = shallowRef<readonly Outgoing[]>([]);
  const connection = ref<Connection>("connecting");
  const everOpen = ref(false);
  const settled = ref(false);
  const status = ref<ServiceStatus>("ready");
  const typing = ref<"bot" | "staff" | null>(null);
  /** Where one stands while waiting for a person, as the desk said last. */
  const waiting = ref<{ position: number; minutes: number | null } | null>(null);

  let gathered: { stream: string; event: ChatEvent }[] = [];
  let gathering: ReturnType<typeof setTimeout> | undefined;
  let settling: ReturnType<typeof setTimeout> | undefined;
  let typingEnds: ReturnType<typeof setTimeout> | undefined;
  let typingSaid = 0;

  function show(): void {
    gathering = undefined;
    for (const { stream, event } of gathered) {
      timeline.add(placeOf(stream), event);
      if (event.kind === "message" && (event.author === "bot" || event.author === "staff")) {
        typing.value = null;
      }
    }
    entries.value = timeline.entries().slice();
    for (const { event } of gathered) {
      if (event.kind !== "message" || !event.mine || !event.client_id) continue;
      outbox.drop(event.client_id);
      queue.shown(event.client_id);
    }
    gathered = [];
    settleSoon();
  }

  function settleSoon(): void {
    if (settled.value) return;
    clearTimeout(settling);
    settling = setTimeout(() => (settled.value = true), SETTLED_MS);
  }

  const outbox = new Outbox(`huixin.unsent.${options.path}`, tabStorage(), (items) => {
    outgoing.value = items;
  });

  const queue = new PictureQueue(
    (id, content, progress) =>
      customerApi.sendPicture(options.conversation ?? "", id, content, progress),
    (items) => (pictures.value = items),
  );

  const socket = new LiveSocket({
    path: options.path,
    cursors: options.cursors,
    outbox,
    ...(options.revive ? { revive: options.revive } : {}),
    handlers: {
      event(stream, _seq, event) {
        if (event.kind === "changed") return;
        gathered.push({ stream, event });
        gathering ??= setTimeout(show, GATHER_MS);
      },
      frame(frame) {
        if (frame.type === "status") status.value = frame.status;
        if (frame.type === "queue") waiting.value = frame;
        if (frame.type === "welcome") {
          if (frame.status) status.value = frame.status;
          settleSoon();
        }
        if (frame.type === "typing" && frame.who !== "customer") {
          clearTimeout(typingEnds);
          typing.value = frame.on ? frame.who : null;
          if (frame.on) typingEnds = setTimeout(() => (typing.value = null), TYPING_ENDS_MS);
        }
      },
      connection(state) {
        connection.value = state;
        if (state === "open") {
          everOpen.value = true;
          queue.resume();
        } else {
          typing.value = null;
          // It moves on meanwhile; the desk says it anew.
          waiting.value = null;
        }
      },
      reset(cursor) {
        if (gathering) {
          clearTimeout(gathering);
          show();
        }
        timeline.clear(cursor === "own" ? ["own"] : ["room", "private"]);
        entries.value = timeline.entries().slice();
      },
    },
  });

  /** What the desk has shown already is drawn from its event, not from here. */
  const pending = computed(() => {
    const shown = new Set(entries.value.map((entry) => entry.key));
    const all = [...outgoing.value, ...pictures.value].sort((one, two) =>
      one.at.localeCompare(two.at),
    );
    return all.filter((item) => !shown.has(`say:${item.id}`));
  });

  onScopeDispose(() => {
    socket.stop();
    queue.end();
    clearTimeout(gathering);
    clearTimeout(settling);
    clearTimeout(typingEnds);
  });

  return {
    entries,
    pending,
    connection,
    everOpen,
    settled,
    status,
    typing,
    waiting,
    start: () => socket.start(),
    say: (text: string, button?: string) => socket.say(text, button),
    sendPicture: (picture: Prepared) => queue.add(picture, new Date().toISOString()),
    /** Where this page itself has the picture that it sent under an id. */
    ownPicture: (id: string | null | undefined) => queue.sourceOf(id),
    retry(id: string) {
      if (!queue.again(id)) socket.retry(id);
    },
    discard(id: string) {
      queue.discard(id);
      outbox.drop(id);
    },
    /** Tells the other side that something is being written, not more often than needed. */
    tellTyping() {
      const now = Date.now();
      if (now - typingSaid < TYPING_EVERY_MS) return;
      if (socket.send({ type: "typing" })) typingSaid = now;
    },
  };
}

export type Chat = ReturnType<typeof useChat>;
