import { computed, readonly, ref, shallowRef, type Ref } from "vue";
import { ApiError } from "../wire/api";
import type { Row } from "../wire/staff";
import { staffApi } from "../wire/staffApi";
import { sortOut, type ListName } from "./list/lists";
import { live } from "./useLive";
import { useSession } from "./useSession";

/** Without a live connection the rows are still read this often. */
const POLL_MS = 20_000;
/** The clock by which snoozed rows wake and waiting is told. */
const TICK_MS = 15_000;

const session = useSession();

const rows = shallowRef<ReadonlyMap<string, Row>>(new Map());
const listed = ref(false);
const truncated = ref(false);
const trouble = ref("");
const now = ref(new Date());

/** What came while the rows were being read: newer than what was read. */
let meanwhile: { rows: Row[]; gone: string[] }[] | null = null;
let reading: Promise<void> | null = null;
/** Grows when somebody leaves, so that what was asked for them is not shown to the next. */
let shift = 0;
let poll: ReturnType<typeof setInterval> | undefined;
let tick: ReturnType<typeof setInterval> | undefined;
let silence: (() => void)[] = [];

type Change = { row: Row; before: Row | undefined };
const hearers = new Set<(changes: readonly Change[]) => void>();

function merge(frames: readonly { rows: Row[]; gone: string[] }[], into: Map<string, Row>): void {
  for (const frame of frames) {
    for (const row of frame.rows) into.set(row.id, row);
    for (const id of frame.gone) into.delete(id);
  }
}

function apply(frame: { rows: Row[]; gone: string[] }): void {
  meanwhile?.push(frame);
  const changes = frame.rows.map((row) => ({ row, before: rows.value.get(row.id) }));
  const next = new Map(rows.value);
  merge([frame], next);
  rows.value = next;
  // Before the first reading nothing is news.
  if (listed.value && changes.length) for (const hear of [...hearers]) hear(changes);
}

/** Reads all rows anew; called again while that is under way, it is the same reading. */
function read(): Promise<void> {
  reading ??= fetchRows().finally(() => (reading = null));
  return reading;
}

async function fetchRows(): Promise<void> {
  const mine = shift;
  const later: { rows: Row[]; gone: string[] }[] = [];
  meanwhile = later;
  try {
    const answer = await staffApi.lists();
    if (mine !== shift) return;
    const next = new Map(answer.rows.map((row) => [row.id, row]));
    merge(later, next);
    rows.value = next;
    truncated.value = answer.truncated;
    listed.value = true;
    trouble.value = "";
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (mine === shift && !session.refused(error)) trouble.value = error.message;
  } finally {
    if (meanwhile === later) meanwhile = null;
  }
}

const lists = computed<Record<ListName, Row[]>>(() =>
  sortOut(rows.value.values(), session.me.value?.id ?? -1, now.value),
);

/** How many messages wait for this member: in the queue and in what is theirs. */
const unread = computed(() =>
  [...lists.value.queue, ...lists.value.mine].reduce((sum, row) => sum + row.unread, 0),
);

function start(): void {
  if (poll !== undefined || !session.may("read")) return;
  silence = [live.on("rows", apply), live.on("open", () => void read())];
  poll = setInterval(() => {
    if (live.connection.value !== "open") void read();
  }, POLL_MS);
  tick = setInterval(() => (now.value = new Date()), TICK_MS);
  void read();
}

function stop(): void {
  for (const off of silence) off();
  silence = [];
  clearInterval(poll);
  clearInterval(tick);
  poll = tick = undefined;
  shift += 1;
  reading = meanwhile = null;
  rows.value = new Map();
  listed.value = truncated.value = false;
  trouble.value = "";
}

session.onLeave(stop);

const store = {
  rows,
  lists,
  listed: readonly(listed),
  truncated: readonly(truncated),
  trouble: readonly(trouble),
  now: readonly(now) as Readonly<Ref<Date>>,
  unread,
  start,
  stop,
  read,
  /** Hears which rows changed, after the first reading. Returns how to stop hearing. */
  onChange(hear: (changes: readonly Change[]) => void): () => void {
    hearers.add(hear);
    return () => void hearers.delete(hear);
  },
};

/**
 * The rows that this member may see: read once, and from then on kept by what the desk sends.
 * Kept through all pages, so that the window's title and the sound work on each of them.
 */
export const useRows = (): typeof store => store;
