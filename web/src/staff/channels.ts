/** The ways in which a customer came, and what it means where staff write down what was said. */
import { shallowRef } from "vue";
import type { HandChannel } from "../wire/contract";

const CHANNELS: Record<string, string> = {
  web: "网页",
  wechat: "微信",
  comment: "公众号文章评论",
  phone: "电话",
  street: "当面",
  other: "其他途径",
};
const HEARD: Record<HandChannel, string> = {
  phone: "电话里说",
  street: "当面说",
  other: "从其他途径来",
};
const SPOKEN: Record<HandChannel, string> = {
  phone: "在电话里对顾客说的",
  street: "当面对顾客说的",
  other: "对顾客说的，记在这里",
};

/** Those by which a complaint comes that somebody enters by hand. */
export const HAND_CHANNELS: readonly HandChannel[] = ["phone", "street", "other"];

/** Of the generic channel: names by id, as the settings have them. */
const sources = shallowRef<Record<string, string>>({});

export function nameSources(named: Record<string, string>): void {
  sources.value = named;
}

export const channelWords = (channel: string): string =>
  CHANNELS[channel] ?? sources.value[channel] ?? channel;

/** Where words go that are sent to who came by a channel. */
export const reachedIn = (channel: string): string =>
  channel in CHANNELS ? "微信" : channelWords(channel);

/** Whether the customer has no page of ours: nothing that is written here reaches them. */
export const byHand = (channel: string): channel is HandChannel =>
  (HAND_CHANNELS as readonly string[]).includes(channel);

/** How a customer's words came in, and who wrote them down. */
export function heardWords(via: string, by: string | undefined): string {
  if (via === "voice") return "语音转文字";
  return `${byHand(via) ? HEARD[via] : channelWords(via)}，由${by || "同事"}记下`;
}

/** How the answers of staff reached a customer who has no page; empty where the customer has one. */
export const spokenWords = (channel: string): string => (byHand(channel) ? SPOKEN[channel] : "");
