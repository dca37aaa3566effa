import { ref } from "vue";
import type { ServerFrame, StreamEvent } from "../wire/contract";
import { LiveSocket, type Connection } from "../wire/socket";
import type { StaffServerFrame } from "../wire/staff";
import { useSession } from "./useSession";

type Frames = {
  [Type in StaffServerFrame["type"]]: Extract<StaffServerFrame, { type: Type }>;
};

/** What the staff pages hear, by name. */
export interface LiveEvents extends Frames {
  /** Of the watched conversation. */
  event: { stream: string; seq: number; event: StreamEvent };
  /** The customer of a conversation writes. */
  typing: { conversation: string };
  /** Frames come again: whatever was missed meanwhile has to be read. */
  open: { again: boolean };
}

type Hear<Type extends keyof LiveEvents> = (news: LiveEvents[Type]) => void;

/** The desk takes one typing sign in three seconds. */
const TYPING_EVERY_MS = 3_000;

const session = useSession();
const hearers = new Map<keyof LiveEvents, Set<(news: never) => void>>();
const connection = ref<Connection>("stopped");
const everOpen = ref(false);
let typingSaid = 0;

function tell<Type extends keyof LiveEvents>(type: Type, news: LiveEvents[Type]): void {
  for (const hear of [...(hearers.get(type) ?? [])]) (hear as Hear<Type>)(news);
}

function passOn(frame: ServerFrame): void {
  switch (frame.type) {
    case "rows":
    case "detail":
    case "looking":
    case "notice":
    case "presence":
      tell(frame.type, frame as never);
      break;
    case "typing":
      if (frame.who === "customer") tell("typing", { conversation: frame.conversation });
      break;
  }
}

const socket = new LiveSocket({
  path: "/ws/staff",
  cursors: ["after"],
  // What is watched is asked for with its own number; the cursor of the path means nothing.
  gapless: false,
  revive: session.revive,
  handlers: {
    connection(state) {
      connection.value = state;
      if (state !== "open") return;
      const again = everOpen.value;
      everOpen.value = true;
      tell("open", { again });
    },
    event: (stream, seq, event) => tell("event", { stream, seq, event }),
    frame: passOn,
  },
});

/**
 * The one connection of the staff pages: opened by their frame once somebody is logged in, shared
 * by all that stands in it, closed when they leave.
 */
export const live = {
  connection,
  everOpen,
  start: (): void => socket.start(),
  stop(): void {
    socket.stop();
    everOpen.value = false;
  },
  /** Hears one kind of news. Returns how to stop hearing. */
  on<Type extends keyof LiveEvents>(type: Type, hear: Hear<Type>): () => void {
    const those = hearers.get(type) ?? new Set();
    hearers.set(type, those);
    those.add(hear as (news: never) => void);
    return () => void those.delete(hear as (news: never) => void);
  },
  /** Looks at one conversation from a number on, or at none. */
  watch: (conversation: string | null, after = 0): boolean =>
    socket.send({ type: "watch", conversation, after }),
  /** Says that an answer is being written, not too often. */
  typing(): void {
    const now = Date.now();
    if (now - typingSaid < TYPING_EVERY_MS) return;
    if (socket.send({ type: "typing" })) typingSaid = now;
  },
};

session.onLeave(live.stop);

export const useLive = (): typeof live => live;
