import { onScopeDispose, readonly, ref, type Ref } from "vue";

const clock = new Intl.DateTimeFormat("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat("zh-CN", { month: "long", day: "numeric" });

/** `14:05` today, `3月8日 14:05` on any other day, in the reader's time zone. */
export function saidAt(iso: string, now: Date): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return "";
  const time = clock.format(at);
  return at.toDateString() === now.toDateString() ? time : `${day.format(at)} ${time}`;
}

/** How long until `iso`, in words; null when it is past. */
export function timeLeft(iso: string, now: Date): string | null {
  const rest = Date.parse(iso) - now.getTime();
  if (Number.isNaN(rest) || rest <= 0) return null;
  return span(Math.max(1, Math.round(rest / 60_000)));
}

/** How long since `iso`, in words. */
export function timeSince(iso: string, now: Date): string {
  const minutes = Math.floor((now.getTime() - Date.parse(iso)) / 60_000);
  if (Number.isNaN(minutes) || minutes < 1) return "不到 1 分钟";
  return span(minutes);
}

function span(minutes: number): string {
  if (minutes < 60) return `${minutes} 分钟`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} 小时 ${minutes % 60} 分钟` : `${hours} 小时`;
  const days = Math.floor(hours / 24);
  return hours % 24 ? `${days} 天 ${hours % 24} 小时` : `${days} 天`;
}

/** The present time, fresh every `every` milliseconds while the page lives. */
export function useNow(every = 15_000): Readonly<Ref<Date>> {
  const now = ref(new Date());
  const timer = setInterval(() => (now.value = new Date()), every);
  onScopeDispose(() => clearInterval(timer));
  return readonly(now) as Readonly<Ref<Date>>;
}
