import { byId, create } from './elements.ts';
import { createKept } from './kept.ts';
import { isLocalDate, isTimeZone, type LocalDate } from '@appointment-emissions/contracts';

const keptTimeZone = createKept(() => localStorage, 'dashboard-time-zone');
const query = () => new URLSearchParams(location.search);

/** From the address, from the last visit, from the company, from this machine: the first that is known. */
export function chooseTimeZone(ofCompany: string | undefined): string {
  const candidates = [query().get('tz'), keptTimeZone.get(), ofCompany, ofMachine()];
  return candidates.find(isTimeZone) ?? 'UTC';
}

/** Some machines have none that the browser knows. */
function ofMachine(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The list of time zones; a choice is kept for the next visit. */
export function offerTimeZones(chosen: string, onChoice: (timeZone: string) => void): void {
  const select = byId('time-zone', HTMLSelectElement);
  const names = new Set([chosen, 'UTC', ...Intl.supportedValuesOf('timeZone')]);
  for (const name of [...names].sort()) {
    const option = create('option', '', name.replaceAll('_', ' '));
    option.value = name;
    select.append(option);
  }
  select.value = chosen;
  select.addEventListener('change', () => {
    keptTimeZone.set(select.value);
    onChoice(select.value);
  });
}

/** The day in the address, so that a reload or a shared link shows the same one. */
export function dateInAddress(): LocalDate | undefined {
  const date = query().get('date');
  return isLocalDate(date) ? date : undefined;
}

export function putDateInAddress(date: LocalDate | undefined): void {
  const address = new URL(location.href);
  if (date === undefined) address.searchParams.delete('date');
  else address.searchParams.set('date', date);
  try {
    history.replaceState(null, '', address);
  } catch {
    // Browsers refuse it in a sandboxed frame and when it is called too often: the page works without.
  }
}
