import { computed, ref, shallowRef, type ComputedRef } from "vue";
import { ApiError } from "../wire/api";
import type { Act, Me, Member, Notice, Presence } from "../wire/staff";
import { ownApi } from "../wire/staffAdmin";
import { nameSources } from "./channels";
import { rememberPresence, rememberedPresence } from "./preferences";

const PRESENCES: readonly string[] = ["online", "busy", "away", "offline"] satisfies Presence[];
const ENDED = "登录已经结束：时间太久、在别处退出，或者账号有变动。请重新登录，这一页会接着打开。";
const LATEST = 50;

/** Undefined until the desk has said; null when nobody is logged in. */
const me = ref<Member | null | undefined>(undefined);
const businesses = shallowRef<Me["businesses"]>([]);
const calls = ref(false);
/** Why the login form is there, where there is a reason. */
const farewell = ref("");
/** What keeps the page from opening at all, in words. */
const trouble = ref("");
const notices = shallowRef<readonly Notice[]>([]);
const unreadNotices = ref(0);
/** How many things wait for this member, for the window's title and the nav. */
const badge = ref(0);

const leaving = new Set<() => void>();

function adopt(answer: Me): void {
  if (me.value && me.value.id !== answer.staff.id) leave("");
  me.value = answer.staff;
  businesses.value = answer.businesses ?? [];
  calls.value = answer.calls ?? false;
  nameSources(answer.sources ?? {});
  farewell.value = trouble.value = "";
}

/** Forgets who is logged in, and all that was shown to them. */
function leave(words: string): void {
  if (me.value) for (const tell of leaving) tell();
  me.value = null;
  farewell.value = words;
  notices.value = [];
  unreadNotices.value = badge.value = 0;
}

/**
 * Deals with what concerns the session in a call that failed: the login has ended, or the password
 * has to be changed first.
 *
 * @returns whether it was that; anything else is the caller's to show.
 */
function refused(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  if (error.status === 401) {
    if (me.value) leave(ENDED);
    return true;
  }
  if (error.code !== "must_change" || !me.value) return false;
  me.value = { ...me.value, must_change: true };
  return true;
}

async function begin(): Promise<void> {
  trouble.value = "";
  try {
    adopt(await ownApi.me());
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) leave("");
    else trouble.value = error.message;
  }
}

/** Before a new try of the live connection: whether there is still somebody to connect. */
async function revive(): Promise<boolean> {
  try {
    adopt(await ownApi.me());
    return true;
  } catch (error) {
    if (refused(error)) return false;
    throw error;
  }
}

async function login(name: string, password: string, code?: string): Promise<void> {
  adopt(await ownApi.login(name, password, code));
  await greet();
}

/** Says that this member is here, as they chose last time; online where they never chose. */
async function greet(): Promise<void> {
  const member = me.value;
  if (!member || member.must_change || !may("handle")) return;
  const last = rememberedPresence(member.id);
  const wanted = last && PRESENCES.includes(last) ? (last as Presence) : "online";
  if (wanted === member.presence) return;
  try {
    heardPresence((await ownApi.setPresence(wanted)).presence);
  } catch (error) {
    // The switch shows what is; the member can choose again.
    if (!(error instanceof ApiError)) throw error;
    refused(error);
  }
}

/** Ends the session; without a connection the page is left all the same. */
async function logout(): Promise<void> {
  try {
    await ownApi.logout();
    leave("");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const words =
      error.status === 401 ? "" : "暂时连不上服务，这里已退出；请联网后再退出一次，登录才会真正结束。";
    leave(words);
  }
}

function may(act: Act): boolean {
  return me.value?.may.includes(act) ?? false;
}

async function setPresence(presence: Presence): Promise<void> {
  const member = me.value;
  if (!member) return;
  heardPresence((await ownApi.setPresence(presence)).presence);
  rememberPresence(member.id, presence);
}

/** The presence as the desk has it; changed here, on another page, or by taking a conversation. */
function heardPresence(presence: Presence): void {
  if (me.value) me.value = { ...me.value, presence };
}

/** After the own password or second factor was changed. */
function changed(what: Partial<Member>): void {
  if (me.value) me.value = { ...me.value, ...what };
}

async function readNotices(): Promise<void> {
  const answer = await ownApi.notices();
  notices.value = [...answer.notices].sort((one, other) => other.id - one.id);
  unreadNotices.value = answer.unread;
}

function heardNotice(notice: Notice): void {
  if (notices.value.some((one) => one.id === notice.id)) return;
  notices.value = [notice, ...notices.value].sort((a, b) => b.id - a.id).slice(0, LATEST);
  if (!notice.read_at) unreadNotices.value += 1;
}

/** Marks all that is shown as read. */
async function noticesSeen(): Promise<void> {
  const newest = notices.value[0];
  if (!newest || unreadNotices.value === 0) return;
  const before = unreadNotices.value;
  await ownApi.noticesRead(newest.id);
  const at = new Date().toISOString();
  notices.value = notices.value.map((one) =>
    one.id <= newest.id && !one.read_at ? { ...one, read_at: at } : one,
  );
  // What came while the desk was told is still unread.
  unreadNotices.value = Math.max(0, unreadNotices.value - before);
}

/** Calls `tell` when the member leaves: by logout, by the end of the session, by another login. */
function onLeave(tell: () => void): () => void {
  leaving.add(tell);
  return () => void leaving.delete(tell);
}

const session = {
  me,
  businesses,
  calls,
  farewell,
  trouble,
  notices,
  unreadNotices,
  badge,
  may,
  refused,
  begin,
  revive,
  login,
  greet,
  logout,
  setPresence,
  heardPresence,
  changed,
  readNotices,
  heardNotice,
  noticesSeen,
  onLeave,
};

/** Who works on this page; one for all parts of it. */
export const useSession = (): typeof session => session;

/** The member logged in, for parts that are shown only while there is one. */
export function useMember(): ComputedRef<Member> {
  let last: Member | null = null;
  return computed(() => {
    last = me.value ?? last;
    // A part being taken down may still look once after the member has gone.
    if (!last) throw new Error("nobody is logged in");
    return last;
  });
}
