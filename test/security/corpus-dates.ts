import type { BadRequest } from './corpus.ts';

const LIST = '/api/v1/dashboard/appointments';
const REPAIRS = '/admin/api';

/** Dates that do not exist, that other programs write otherwise, or that no server of ours can take. */
export const BAD_INSTANTS: readonly [what: string, text: string][] = [
  ['29 February 2027', '2027-02-29'],
  ['29 February 2100', '2100-02-29T00:00:00Z'],
  ['30 February', '2028-02-30'],
  ['31 February at a time', '2027-02-31T10:00:00Z'],
  ['31 April', '2027-04-31'],
  ['31 June with an offset', '2027-06-31T00:00:00+02:00'],
  ['24:00', '2027-03-01T24:00:00Z'],
  ['second 60', '2027-06-30T23:59:60Z'],
  ['an offset of 99 hours', '2027-03-01T10:00:00+99:99'],
  ['an offset of 24 hours', '2027-03-01T10:00:00-24:00'],
  ['the year 0', '0000-01-01'],
  ['a year before 1970', '1969-12-31'],
  ['an instant before 1970', '1970-01-01T00:00:00+14:00'],
  ['an instant after 9999', '9999-12-31T23:59:59-12:00'],
  ['a year of six digits', '+010000-01-01T00:00:00Z'],
  ['a negative year', '-000001-01-01T00:00:00Z'],
  ['the last instant of JavaScript', '+275760-09-13T00:00:00.000Z'],
  ['no offset', '2027-03-01T10:00:00'],
  ['a week', '2027-W10-1'],
  ['a day of the year', '2027-060'],
  ['digits of full width', '２０２７-０３-０１'],
  ['a space before', ' 2027-03-01'],
  ['a line end', '2027-03-01\n'],
  ['a NUL', '2027-03-01\0'],
  ['a lone surrogate', '2027-03-01\ud83d'],
  ['RFC 1123', 'Mon, 01 Mar 2027 10:00:00 GMT'],
  ['seconds since 1970', '1800000000'],
];

const list = (what: string, query: string): BadRequest => ({
  what: `a list ${what}`,
  path: `${LIST}?${query}`,
  headers: { authorization: 'Bearer :token' },
  status: 400,
  code: 'INVALID_RANGE',
});

const repair = (what: string, name: string, body: object): BadRequest => ({
  what: `a repair ${what}`,
  method: 'POST',
  path: `${REPAIRS}/${name}`,
  headers: { authorization: ':admin', 'content-type': 'application/json' },
  body: JSON.stringify({ ...body, dryRun: true }),
  status: 400,
  code: 'INVALID_REQUEST',
});

/** As an address may hold it: a lone surrogate becomes U+FFFD. */
const encoded = (text: string) => encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'));

export const BAD_DATES: readonly BadRequest[] = [
  ...BAD_INSTANTS.flatMap(([what, text]) => [
    list(`from ${what}`, `from=${encoded(text)}`),
    list(`to ${what}`, `from=2027-02-01&to=${encoded(text)}`),
    repair(`since ${what}`, 'retry-failed', { since: text }),
    repair(`until ${what}`, 'retry-failed', { since: '1970-01-01', until: text }),
    repair(`of writes since ${what}`, 're-emit', { companyId: '5'.repeat(24), since: text }),
  ]),
  list('from a + that was not escaped', 'from=2027-03-01T00:00:00+01:00'),
  list('from an empty date', 'from='),
  list('from an object', 'from=2027-03-01&from=x'),
  list('to two dates', 'from=2027-03-01&to=2027-03-02&to=2027-03-03'),
  list('from the last instant', 'from=9999-12-31T23:59:59.999Z'),
  list('of all years', 'from=1970-01-01&to=9999-12-31'),
  repair('since a number', 'retry-failed', { since: 1_800_000_000_000 }),
  repair('since null', 'retry-failed', { since: null }),
  repair('since a list', 'retry-failed', { since: ['2027-03-01'] }),
  repair('until before since', 'retry-failed', { since: '2027-03-02', until: '2027-03-01' }),
  repair('since an age of full-width digits', 'retry-failed', { since: '１h' }),
  repair('since an age of seven digits', 'retry-failed', { since: '1000000s' }),
];
