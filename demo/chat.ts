import type { Id, IsoDate } from '@appointment-emissions/contracts';

/** Choices for the demo's chat form. The types in this file are internal to the demo. */
export interface ChatCatalogue {
  companyName: string;
  timeZone: string;
  /** Opening hours, in minutes since midnight as a wall clock shows them. */
  opensAt: number;
  closesAt: number;
  customers: { id: Id; name: string; pets: { id: Id; name: string; size: string }[] }[];
  services: { id: Id; name: string; items: { id: Id; size: string; price: number | null }[] }[];
  staff: { id: Id; name: string }[];
}

/** An appointment that has not ended. A field is `null` if the stored value is missing or malformed. */
export interface ChatAppointment {
  id: Id;
  petId: Id | null;
  serviceId: Id | null;
  staffId: Id | null;
  start: IsoDate;
  end: IsoDate | null;
}

/** Reply of `POST …/tools/<name>`. */
export interface ChatToolReply {
  ok: boolean;
  message: string;
  /** Duration of the tool call in milliseconds: saving, and waiting for the emission. */
  tookMs: number;
}

/** Reply of `GET /demo/chat`. */
export interface ChatInfo {
  /** Address of the bot. A browser on the same machine can use it while the API is unavailable. */
  botUrl: string;
}
