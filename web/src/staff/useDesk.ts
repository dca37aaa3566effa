import { computed, onScopeDispose, ref, shallowRef } from "vue";
import { placeOf, Timeline } from "../chat/timeline";
import { ApiError, StaffApi } from "../wire/api";
import type { ChatEvent, DeskConversation, DeskLists, Facts, StaffMember } from "../wire/contract";
import { Outbox } from "../wire/outbox";
import type { Outgoing } from "../wire/outbox";
import { LiveSocket, type Connection } from "../wire/socket";

/** Changes that come close together are fetched once. */
const GATHER_MS = 200;
/** Without a live connection the lists are still fetched this often. */
const POLL_MS = 20_000;
/** The customer's page says so every three seconds while something is being written. */
const TYPING_ENDS_MS = 5_000;

const EMPTY: DeskLists = { queue: [], mine: [], others: [], bot: [] };

function inOrder(events: readonly ChatEvent[]): ChatEvent[] {
  const timeline = new Timeline();
  for (const event of events) timeline.add("private", event);
  return timeline.entries().map((entry) => entry.event);
}

/** The staff desk: who is logged in, the lists, the open conversation, and what can be done. */
export function useDesk() {
  const api = new StaffApi();
  /** Undefined until the desk has said; null when nobody is logged in. */
  const me = ref<StaffMember | null | undefined>(undefined);
  const lists = shallowRef<DeskLists>(EMPTY);
  const listed = ref(false);
  const opened = ref<string | null>(null);
  const detail = shallowRef<DeskConversation | null>(null);
  const connection = ref<Connection>("connecting");
  const everOpen = ref(false);
  /** What went wrong last, in plain words. */
  const trouble = ref("");
  const answers = shallowRef<readonly Outgoing[]>([]);
  const missing = ref(false);
  /** Whether the customer of the open conversation is writing. */
  const typing = ref(false);

  const outboxes = new Map<string, Outbox>();
  let listTimer: ReturnType<typeof setTimeout> | undefined;
  let detailTimer: ReturnType<typeof setTimeout> | undefined;
  let typingEnds: ReturnType<typeof setTimeout> | undefined;

  const socket = new LiveSocket({
    path: "/ws/staff",
    cursors: ["after"],
    // One number stands for the streams of all businesses, so it may jump.
    gapless: false,
    revive: async () => {
      try {
        me.value = await api.me();
        return true;
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) {
          me.value = null;
          return false;
        }
        throw error;
      }
    },
    handlers: {
      connection(state) {
        connection.value = state;
        if (state !== "open") return;
        everOpen.value = true;
        refreshListsSoon();
        if (opened.value) refreshDetailSoon();
      },
      event(stream, seq, event) {
        if (event.kind === "changed") {
          if (event.conversation === opened.value) refreshDetailSoon();
          else refreshListsSoon();
          return;
        }
        const open = detail.value;
        if (!open || stream.slice(stream.indexOf(":") + 1) !== opened.value) {
          if (open) refreshDetailSoon();
          return;
        }
        const side = placeOf(stream) === "private" ? "private" : "public";
        detail.value = {
          ...open,
          [side]: inOrder([...open[side], event]),
          seq: side === "private" ? Math.max(open.seq, seq) : open.seq,
        };
        settle(event);
        if (event.kind === "message" && event.author === "customer") typing.value = false;
      },
      frame(frame) {
        if (frame.type !== "typing" || frame.who !== "customer") return;
        if (frame.conversation !== opened.value) return;
        clearTimeout(typingEnds);
        typing.value = true;
        typingEnds = setTimeout(() => (typing.value = false), TYPING_ENDS_MS);
      },
    },
  });

  const poll = setInterval(() => {
    if (me.value && connection.value !== "open") refreshListsSoon();
  }, POLL_MS);

  const look = (): void => {
    if (!document.hidden && opened.value) refreshDetailSoon();
  };
  document.addEventListener("visibilitychange", look);

  onScopeDispose(() => {
    document.removeEventListener("visibilitychange", look);
    socket.stop();
    clearInterval(poll);
    clearTimeout(listTimer);
    clearTimeout(detailTimer);
    clearTimeout(typingEnds);
  });

  function tell(error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) {
      me.value = null;
      socket.stop();
      return;
    }
    trouble.value = error.message;
  }

  function refreshListsSoon(): void {
    if (listTimer !== undefined) return;
    listTimer = setTimeout(() => {
      listTimer = undefined;
      void refreshLists();
    }, GATHER_MS);
  }

  function refreshDetailSoon(): void {
    if (detailTimer !== undefined) return;
    detailTimer = setTimeout(() => {
      detailTimer = undefined;
      // Reading the open conversation clears its count, so the lists come after it. Behind a
      // hidden window nobody reads: there the count has to grow.
      if (document.hidden) refreshListsSoon();
      else void refreshDetail().then(refreshListsSoon);
    }, GATHER_MS);
  }

  async function refreshLists(): Promise<void> {
    try {
      lists.value = await api.lists();
      listed.value = true;
    } catch (error) {
      tell(error);
    }
  }

  async function refreshDetail(): Promise<void> {
    const id = opened.value;
    if (!id) return;
    try {
      const answer = await api.open(id);
      if (id !== opened.value) return;
      detail.value = {
        ...answer,
        public: inOrder(answer.public),
        private: inOrder(answer.private),
      };
      socket.send({ type: "watch", conversation: id, after: answer.seq });
    } catch (error) {
      if (id !== opened.value) return;
      if (error instanceof ApiError && error.status === 404) missing.value = true;
      else tell(error);
    }
  }

  /**
   * An answer that comes back live is on its way no longer. The desk's answer to the call says so
   * too, but often later; the event has no id of this page, so the words have to do.
   */
  function settle(event: ChatEvent): void {
    if (event.kind !== "message" || event.author !== "staff" || !opened.value) return;
    if (event.name !== me.value?.name) return;
    const outbox = outboxes.get(opened.value);
    const item = outbox?.unsent().find((one) => one.text === event.text);
    if (item) outbox?.drop(item.id);
  }

  function outboxOf(id: string): Outbox {
    let outbox = outboxes.get(id);
    if (!outbox) {
      outbox = new Outbox(`huixin.answers.${id}`, null, (items) => {
        if (opened.value === id) answers.value = items;
      });
      outboxes.set(id, outbox);
    }
    return outbox;
  }

  async function welcome(member: StaffMember): Promise<void> {
    me.value = member;
    trouble.value = "";
    await refreshLists();
    socket.start();
  }

  async function begin(): Promise<void> {
    try {
      await welcome(await api.me());
    } catch (error) {
      if (error instanceof ApiError && error.status !== 401) trouble.value = error.message;
      me.value = null;
    }
  }

  async function open(id: string | null): Promise<void> {
    opened.value = id;
    detail.value = null;
    missing.value = false;
    typing.value = false;
    trouble.value = "";
    answers.value = id ? outboxOf(id).all() : [];
    if (!id) return;
    await refreshDetail();
    refreshListsSoon();
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
    if (me.value) {
      await refreshDetail();
      await refreshLists();
    }
    return done;
  }

  async function post(id: string, item: Outgoing): Promise<void> {
    const outbox = outboxOf(id);
    try {
      await api.answer(id, item.id, item.text);
      outbox.acknowledged(item.id);
      await refreshDetail();
      // The history is on the screen now, with this answer in it.
      outbox.drop(item.id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      outbox.refused(item.id, error.message, error.code !== "not_owner");
      if (error.status === 401) tell(error);
      if (error.status === 409) await Promise.all([refreshLists(), refreshDetail()]);
    }
  }

  const unread = computed(() =>
    [...lists.value.queue, ...lists.value.mine].reduce((sum, row) => sum + row.unread, 0),
  );

  return {
    me,
    lists,
    listed,
    opened,
    detail,
    missing,
    typing,
    connection,
    everOpen,
    trouble,
    answers,
    unread,
    begin,
    open,
    login: async (login: string, password: string) => welcome(await api.login(login, password)),
    async logout() {
      try {
        await api.logout();
      } catch (error) {
        tell(error);
      }
      socket.stop();
      me.value = null;
      lists.value = EMPTY;
      listed.value = false;
      await open(null);
    },
    take: () => act((id) => api.take(id)),
    giveBack: (note: string) => act((id) => api.giveBack(id, note)),
    /** Of a conversation by id: what was set last may be saved as another one is opened. */
    async setFacts(id: string, facts: Facts): Promise<boolean> {
      if (opened.value === id) trouble.value = "";
      let done = true;
      try {
        await api.setFacts(id, facts);
      } catch (error) {
        done = false;
        if (opened.value === id || !(error instanceof ApiError)) tell(error);
      }
      if (me.value && opened.value === id) await refreshDetail();
      return done;
    },
    async answer(text: string) {
      const id = opened.value;
      if (id) await post(id, outboxOf(id).add(text, new Date().toISOString()));
    },
    async retryAnswer(messageId: string) {
      const id = opened.value;
      const item = id ? outboxOf(id).again(messageId) : null;
      if (id && item) await post(id, item);
    },
    discardAnswer(messageId: string) {
      if (opened.value) outboxOf(opened.value).drop(messageId);
    },
  };
}

export type Desk = ReturnType<typeof useDesk>;
