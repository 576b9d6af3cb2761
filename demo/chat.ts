import type { Id, IsoDate } from '@appointment-emissions/contracts';

/** What crosses between the demo's chat panel and its bot. Not part of the package's interface. */
export interface ChatCatalogue {
  companyName: string;
  timeZone: string;
  customers: { id: Id; name: string; pets: { id: Id; name: string; size: string }[] }[];
  services: { id: Id; name: string; items: { id: Id; size: string; price: number | null }[] }[];
  staff: { id: Id; name: string }[];
}

/** One of the appointments to come. A stored value that is missing or malformed is `null`. */
export interface ChatAppointment {
  id: Id;
  petId: Id | null;
  serviceId: Id | null;
  staffId: Id | null;
  start: IsoDate;
  end: IsoDate | null;
}

/** Answer of `POST …/tools/<name>`. */
export interface ChatToolReply {
  ok: boolean;
  message: string;
  /** What the tool took, saving and announcing. */
  tookMs: number;
}

/** Answer of `GET /demo/chat`. */
export interface ChatInfo {
  /** Where the bot itself listens: works while the API is away, from the same machine. */
  botUrl: string;
}
