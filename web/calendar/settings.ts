import { byId, create } from '../shared/elements.ts';
import { createStoredText } from './stored-text.ts';
import { isLocalDate, isTimeZone, type LocalDate } from '@appointment-emissions/contracts';

const storedTimeZone = createStoredText(() => localStorage, 'dashboard-time-zone');
const query = () => new URLSearchParams(location.search);

/** Returns the first valid time zone of: the address, the last visit, the company, this machine. */
export function chooseTimeZone(ofCompany: string | undefined): string {
  const candidates = [query().get('tz'), storedTimeZone.get(), ofCompany, ofMachine()];
  return candidates.find(isTimeZone) ?? 'UTC';
}

/** On some machines the browser reports a time zone that it does not support. */
function ofMachine(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/**
 * Fills the list of time zones, with those of the company and of this machine on top. The user's choice is stored for the next
 * visit.
 */
export function fillTimeZones(
  { chosen, ofCompany }: { chosen: string; ofCompany: string | undefined },
  onChoice: (timeZone: string) => void,
): void {
  const select = byId('time-zone', HTMLSelectElement);
  const [company, machine] = [ofCompany, ofMachine()].map((zone) => (isTimeZone(zone) ? zone : undefined));
  const first = new Map<string, string>();
  if (machine !== undefined) first.set(machine, 'you');
  if (company !== undefined) first.set(company, company === machine ? 'company and you' : 'company');
  const others = new Set([chosen, 'UTC', ...Intl.supportedValuesOf('timeZone')]);
  const onTop = [company, machine].filter((zone) => zone !== undefined);
  select.append(
    ...[...new Set(onTop)].map((zone) => new Option(`${nameOf(zone)} (${first.get(zone) ?? ''})`, zone)),
    create('hr'),
    ...[...others]
      .filter((zone) => !first.has(zone))
      .sort()
      .map((zone) => new Option(nameOf(zone), zone)),
  );
  select.value = chosen;
  select.addEventListener('change', () => {
    storedTimeZone.set(select.value);
    onChoice(select.value);
  });
}

const nameOf = (timeZone: string) => timeZone.replaceAll('_', ' ');

/** Returns the date in the address, so that a reload or a shared link shows the same day. */
export function dateInAddress(): LocalDate | undefined {
  const date = query().get('date');
  return isLocalDate(date) ? date : undefined;
}

/** `push`: Back returns to the day before. `replace`: it does not. `none`: the address has the day already. */
export type HistoryChange = 'push' | 'replace' | 'none';

export function putDateInAddress(date: LocalDate | undefined, change: Exclude<HistoryChange, 'none'>): void {
  const address = new URL(location.href);
  if (date === undefined) address.searchParams.delete('date');
  else address.searchParams.set('date', date);
  try {
    if (change === 'push') history.pushState(null, '', address);
    else history.replaceState(null, '', address);
  } catch {
    // Browsers reject this in a sandboxed frame, and if it is called too often. The page works without it.
  }
}
