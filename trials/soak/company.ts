import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Types } from 'mongoose';
import { SNAPSHOT_EVENTS } from '@appointment-emissions/contracts';
import { connectDashboard, fetchAppointments } from '@appointment-emissions/dashboard';
import { until } from '../../test/harness/until.ts';
import type { World } from '../../test/harness/world.ts';

/** A company of its own. The notes of its appointments name their version: `v1`, `v2`, … */
export interface Company {
  companyId: string;
  appointmentIds: readonly string[];
  /** Writes a new version of an appointment. Resolves to its notes. */
  write: (appointmentId: string) => Promise<string>;
  /** Deletes its documents. */
  remove: () => Promise<void>;
}

export async function openCompany(world: Pick<World, 'documents'>, appointments: number): Promise<Company> {
  const company = await world.documents.company();
  const versions = new Map<string, number>();
  for (let i = 0; i < appointments; i += 1) versions.set(await company.appointment({ notes: 'v1' }), 1);
  return {
    companyId: company.companyId,
    appointmentIds: [...versions.keys()],
    async write(appointmentId) {
      const version = (versions.get(appointmentId) ?? 0) + 1;
      versions.set(appointmentId, version);
      await company.change(appointmentId, { notes: `v${version}` });
      return `v${version}`;
    },
    async remove() {
      const { Appointment, Customer, Pet, Service, ServiceItem, Staff } = world.documents.models;
      const companyId = new Types.ObjectId(company.companyId);
      for (const { collection } of [Appointment, Customer, Pet, Service, ServiceItem, Staff])
        await collection.deleteMany({ companyId });
    },
  };
}

/** A dashboard of a {@link Company}. */
export interface Screen {
  /** Resolves when an appointment is shown with these notes. @throws after the deadline */
  shows: (appointmentId: string, notes: string, deadlineMs: number) => Promise<void>;
  violations: string[];
  close: () => void;
}

const DAY_MS = 24 * 3_600_000;

export function openScreen(url: string, companyId: string, getToken: () => Promise<string>): Screen {
  const violations: string[] = [];
  const waiting = new Set<() => void>();
  const dashboard = connectDashboard({
    url,
    getToken,
    loadSnapshot(token) {
      const [from, to] = [new Date(Date.now() - DAY_MS), new Date(Date.now() + DAY_MS)];
      return fetchAppointments({ url, token, from, to });
    },
    // The APIs of a deployment share an address without sticky sessions.
    socketOptions: { transports: ['websocket'] },
    timings: { longestReconnectMs: 2_000, longestReloadMs: 2_000 },
  });
  const check = (): void => {
    for (const { appointment } of dashboard.appointments.values())
      if (appointment.companyId !== companyId)
        violations.push(`a screen of ${companyId} showed an appointment of another company`);
    for (const one of waiting) one();
  };
  for (const event of SNAPSHOT_EVENTS) dashboard.on(event, check);
  dashboard.on('appointments', check);
  return {
    async shows(appointmentId, notes, deadlineMs) {
      let isShown = (): void => undefined;
      const shown = new Promise<void>((resolve) => {
        isShown = () => {
          if (dashboard.appointments.get(appointmentId)?.appointment.notes === notes) resolve();
        };
      });
      waiting.add(isShown);
      isShown();
      try {
        await until(`a ${dashboard.state} screen to show ${notes} of ${appointmentId}`, shown, deadlineMs);
      } finally {
        waiting.delete(isShown);
      }
    },
    violations,
    close: dashboard.close,
  };
}

const RESPONSE_TIMEOUT_MS = 3_000;
const RETRY_MS = 200;
const MAX_TRIES = 300;

/** Posts an emission until it is accepted, with the same idempotency key, as a bot does. Resolves to its id. */
export async function emit(url: string, key: () => string, appointmentId: string): Promise<string> {
  const idempotencyKey = randomUUID();
  let last: unknown;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    try {
      const response = await fetch(`${url}/api/v1/internal/socket/appointment-updated`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-api-key': key(),
          'idempotency-key': idempotencyKey,
        },
        body: JSON.stringify({ appointmentId }),
        signal: AbortSignal.timeout(RESPONSE_TIMEOUT_MS),
      });
      const reply = (await response.json()) as { emissionId?: string };
      if (response.status === 202 && reply.emissionId !== undefined) return reply.emissionId;
      last = response.status;
    } catch (error) {
      last = error;
    }
    await pause(RETRY_MS);
  }
  throw new Error(`an emission was not accepted in ${MAX_TRIES} tries: ${String(last)}`);
}
