/**
 * Why this process ended a client's connection: values of the label `reason` of `emission_connections_cut_total`.
 * - `connections`: the address has as many as it may have
 * - `pipelined`: too many requests wait on one connection, or one of them changes the protocol
 * - `stalled`: the client took nothing of its answer for too long
 * - `unsent`: the same, for a shorter time, while too much waits for its address
 * - `half-open`: the connection was ended here and its client does not end it
 * - `does not read`: too much waits for one socket
 * - `messages`: a socket sent too much
 * - `protocol`: a socket sent what no client of ours sends, such as a second CONNECT or binary data
 */
export const CUT_REASONS = [
  'connections',
  'pipelined',
  'stalled',
  'unsent',
  'half-open',
  'does not read',
  'messages',
  'protocol',
] as const;
export type CutReason = (typeof CUT_REASONS)[number];
