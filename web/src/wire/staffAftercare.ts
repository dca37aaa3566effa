/** What staff see of wishes, gestures and the survey, and the calls that change them. */
import { staffRequest } from "./api";

const part = encodeURIComponent;

export interface Wishes {
  /** `kind`: what the desk acts on by itself, in words; empty: staff read it. */
  wishes: { text: string; kind: string; at: string; by: string }[];
  no_marketing: boolean;
  no_follow_up: boolean;
}

export interface GestureShown {
  id: string;
  kind: "gesture" | "recommendation";
  title: string;
  why: string;
  /** Staff have to do it. */
  task: boolean;
  cost_fen: number;
  state: "offered" | "taken" | "declined" | "done";
  at: string;
  settled_at: string | null;
}

export interface SurveyShown {
  sent_at: string;
  answered_at: string | null;
  expected: Record<string, number> | null;
  perceived: Record<string, number> | null;
  confirmed: number | null;
  recommend: number | null;
  words: string;
}

export interface AftercareShown extends Wishes {
  gestures: GestureShown[];
  survey: SurveyShown | null;
}

export type WishChange =
  | { add: string }
  | { drop: string }
  | { no_marketing: boolean }
  | { no_follow_up: boolean };

export const aftercareApi = {
  change: (conversation: string, change: WishChange) =>
    staffRequest<Wishes>("POST", `/conversations/${part(conversation)}/wishes`, change),
  gestureDone: (conversation: string, gesture: string) =>
    staffRequest<unknown>(
      "POST",
      `/conversations/${part(conversation)}/gestures/${part(gesture)}/done`,
      {},
    ),
};
