import { io, type Socket } from 'socket.io-client';
import {
  type AppointmentList,
  type AppointmentSnapshot,
  type DeletionPayload,
  type EmissionMeta,
  type PositionUpdate,
  type Scope,
  SNAPSHOT_EVENTS,
  type StreamPosition,
  type TokenReply,
} from '@appointment-emissions/contracts';
import { createScreen, type Screen } from '../../../packages/dashboard/src/screen.ts';

export interface ScopedScreenOptions {
  url: string;
  /** A token of this scope. */
  tokenOf: (scope: Scope | undefined) => Promise<string>;
  scope: Scope | undefined;
}

/**
 * A dashboard with a plain socket.io-client that follows the two rules of docs/reference/events.md, and `emissions:passed`. It
 * notes each violation: a snapshot outside its scope, a field that must be hidden, an older state after a newer one.
 */
export class ScopedScreen {
  readonly violations: string[] = [];
  scope: Scope | undefined;
  position: StreamPosition | undefined;
  catchUps = 0;
  private readonly options: ScopedScreenOptions;
  private screen: Screen = createScreen();
  private socket: Socket | undefined;
  private isCatchingUp = false;
  /** The scope has changed, and the position that says so has not arrived. */
  private isOfFormerScope = false;
  private reloading: Promise<void> | undefined;
  /** The number of the last state that was shown, by appointment. */
  private readonly shown = new Map<string, number>();

  constructor(options: ScopedScreenOptions) {
    this.options = options;
    this.scope = options.scope;
  }

  get rows(): AppointmentSnapshot[] {
    return [...this.screen.rows.values()].map(({ appointment }) => appointment);
  }

  async connect(): Promise<void> {
    this.socket?.close();
    const token = await this.options.tokenOf(this.scope);
    if (this.isOfFormerScope) {
      this.empty();
      await this.load();
    }
    if (!this.position) await this.load();
    const socket = io(this.options.url, {
      forceNew: true,
      reconnection: false,
      transports: ['websocket'],
      auth: { token, position: this.position },
    });
    this.socket = socket;
    this.isCatchingUp = false;
    for (const event of SNAPSHOT_EVENTS) {
      socket.on(event, ({ appointment }: { appointment: AppointmentSnapshot }, meta: EmissionMeta) => {
        this.show(appointment, meta);
        this.advance(meta);
      });
    }
    socket.on('appointment:deleted', ({ appointment }: DeletionPayload, meta: EmissionMeta) => {
      if (Object.keys(appointment).length !== 2) this.violations.push('a deletion has content');
      this.screen.remove(appointment._id, meta);
      this.advance(meta);
    });
    socket.on('emissions:passed', (passed: StreamPosition) => {
      if (this.scope === undefined) this.violations.push('emissions:passed without a scope');
      this.reach(passed);
    });
    const first = new Promise<void>((resolve) => {
      socket.once('emissions:position', (update: PositionUpdate) => {
        if (update.recovered) this.reach(update);
        else void this.reload();
        socket.on('emissions:position', (later: PositionUpdate) => {
          this.onPosition(later);
        });
        resolve();
      });
      socket.once('disconnect', () => {
        resolve();
      });
    });
    await first;
  }

  cut(): void {
    this.socket?.close();
  }

  close(): void {
    this.socket?.close();
  }

  /** Replaces the list on the screen. */
  reload(): Promise<void> {
    this.reloading ??= this.load().finally(() => {
      this.reloading = undefined;
    });
    return this.reloading;
  }

  /** Renews the token with another scope. Everything until the acknowledgement is of the former one, everything after of the new. */
  async renew(scope: Scope | undefined): Promise<void> {
    const token = await this.options.tokenOf(scope);
    await new Promise<void>((resolve) => {
      const { socket } = this;
      if (!socket?.connected) {
        resolve();
        return;
      }
      socket.once('disconnect', () => {
        resolve();
      });
      socket.emit('emissions:token', { token }, (reply: TokenReply) => {
        if (reply.ok) {
          this.isOfFormerScope ||= scope !== this.scope;
          this.scope = scope;
        } else if (reply.code !== 'RATE_LIMITED') this.violations.push(`not renewed: ${reply.code}`);
        resolve();
      });
    });
  }

  /** After a change of the scope. Rows on the screen may be outside of the new scope. */
  private empty(): void {
    this.screen = createScreen();
    this.isOfFormerScope = false;
  }

  private onPosition(update: PositionUpdate): void {
    if (update.reason === 'scope') {
      this.empty();
      void this.reload().then(() => this.reload());
    } else if (!update.recovered) void this.reload();
    else if (!this.position || update.offset > this.position.offset) this.catchUp();
  }

  private advance({ epoch, offset, read }: EmissionMeta): void {
    if (read !== 0 || !this.position) return;
    if (offset === this.position.offset + 1) this.reach({ epoch, offset });
    else if (offset > this.position.offset) this.catchUp();
  }

  private reach({ epoch, offset }: StreamPosition): void {
    if (!this.position || offset > this.position.offset) this.position = { epoch, offset };
  }

  private catchUp(): void {
    if (this.isCatchingUp || !this.socket) return;
    const { socket, position } = this;
    this.isCatchingUp = true;
    this.catchUps += 1;
    socket.emit('emissions:catch-up', position, (update: PositionUpdate) => {
      if (socket !== this.socket) return;
      this.isCatchingUp = false;
      if (update.recovered) this.reach(update);
      else setTimeout(() => void this.reload(), 100);
    });
  }

  /** @param tries  a server on a busy machine can be too slow for one */
  private async load(tries = 5): Promise<void> {
    const scope = this.scope;
    const response = await fetch(`${this.options.url}/api/v1/dashboard/appointments`, {
      headers: { authorization: `Bearer ${await this.options.tokenOf(scope)}` },
    });
    if (response.status >= 500 && tries > 1) return this.load(tries - 1);
    const list = (await response.json()) as AppointmentList;
    // A list of the former scope must not be shown any more.
    if (scope !== this.scope || response.status !== 200) return;
    for (const { appointment } of list.appointments) this.check(appointment);
    this.screen.replace(list);
    this.reach(list);
  }

  private show(appointment: AppointmentSnapshot, meta: EmissionMeta): void {
    this.check(appointment);
    const { epoch, offset, read } = meta;
    if (!this.screen.show({ appointment, epoch, offset, read })) return;
    const state = Number(appointment.source);
    if (state < (this.shown.get(appointment._id) ?? 0)) this.violations.push(`${appointment._id} went back`);
    this.shown.set(appointment._id, state);
  }

  private check(appointment: AppointmentSnapshot): void {
    const problem = problemOf(appointment, this.scope);
    if (problem) this.violations.push(problem);
  }
}

/** Why a snapshot must not be on a screen of this scope. */
export function problemOf(appointment: AppointmentSnapshot, scope: Scope = {}): string | undefined {
  const ids = { staffId: appointment.staffId?._id ?? null, locationId: appointment.locationId };
  for (const field of ['staffId', 'locationId'] as const) {
    const allowed = scope[field];
    if (allowed !== undefined && ![allowed].flat().includes(ids[field] ?? ''))
      return `${field} is out of scope`;
  }
  for (const path of scope.hide ?? []) {
    const [key = '', field] = path.split('.');
    const value = (appointment as unknown as Record<string, unknown>)[key];
    const hidden = field === undefined ? value : ((value as Record<string, unknown> | null)?.[field] ?? null);
    if (hidden !== null) return `${path} is not hidden`;
  }
  return undefined;
}

/** What a screen of this scope must show of these appointments, by id. */
export function visibleIn(appointments: readonly AppointmentSnapshot[], scope: Scope | undefined): string[] {
  return appointments
    .filter((appointment) => problemOf(appointment, { ...scope, hide: [] }) === undefined)
    .map(({ _id, source }) => `${_id} ${source}`)
    .sort();
}
