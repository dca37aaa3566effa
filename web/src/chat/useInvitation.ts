import { ref, watch, type Ref } from "vue";
import { useRouter } from "vue-router";
import { rememberSuccessor, successorOf } from "../parts/memory";
import { ApiError, customerApi } from "../wire/api";
import type { InvitationState, WeChatAccount } from "../wire/contract";

/** What one invitation is worth now, and the two things that can be done with it. */
export function useInvitation(given: Readonly<Ref<string | null>>) {
  const router = useRouter();
  /** The token in force: the given one, or the one that took its place. */
  const token = ref<string | null>(null);
  const renewed = ref(false);
  const state = ref<InvitationState>("open");
  const matter = ref("");
  const business = ref("");
  const wechat = ref<WeChatAccount | null>(null);
  const known = ref<"asking" | "yes" | "no" | "unreachable">("asking");
  const busy = ref(false);
  const failure = ref("");

  async function look(): Promise<void> {
    const asked = token.value;
    if (!asked) return;
    try {
      const answer = await customerApi.invitation(asked);
      if (asked !== token.value) return;
      state.value = answer.state;
      matter.value = answer.matter;
      business.value = answer.business;
      wechat.value = answer.wechat;
      known.value = "yes";
    } catch (error) {
      if (asked !== token.value) return;
      const refused = error instanceof ApiError && error.status >= 400 && error.status < 500;
      known.value = refused ? "no" : "unreachable";
    }
  }

  watch(
    given,
    (now) => {
      const successor = now ? successorOf(now) : null;
      token.value = successor ?? now;
      renewed.value = successor !== null;
      state.value = "open";
      wechat.value = null;
      known.value = "asking";
      failure.value = "";
      void look();
    },
    { immediate: true },
  );

  function tell(error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    failure.value =
      error.status === 404 ? "这份邀请打不开了，请在房间里再说一声。" : error.message;
  }

  async function enter(): Promise<void> {
    if (!token.value || busy.value) return;
    busy.value = true;
    failure.value = "";
    try {
      const { conversation } = await customerApi.enter(token.value);
      await router.push({ name: "private", params: { conversation } });
    } catch (error) {
      if (error instanceof ApiError && error.status === 410) state.value = "expired";
      else tell(error);
    } finally {
      busy.value = false;
    }
  }

  async function renew(): Promise<void> {
    if (!token.value || busy.value) return;
    busy.value = true;
    failure.value = "";
    try {
      token.value = (await customerApi.renew(token.value)).token;
      if (given.value) rememberSuccessor(given.value, token.value);
      renewed.value = true;
      state.value = "open";
      await look();
    } catch (error) {
      busy.value = false;
      // This page's clock is ahead: for the desk the invitation still opens.
      if (error instanceof ApiError && error.status === 409) await enter();
      else tell(error);
    } finally {
      busy.value = false;
    }
  }

  /** A QR code that enters in WeChat. */
  const code = () => customerApi.codeOfInvitation(token.value ?? "");

  const open = (conversation: string) =>
    router.push({ name: "private", params: { conversation } });

  return {
    token,
    renewed,
    state,
    matter,
    business,
    wechat,
    known,
    busy,
    failure,
    look,
    enter,
    renew,
    code,
    open,
  };
}
