/**
 * Why this process ended a client's connection: values of the label `reason` of `emission_connections_cut_total`.
 * - `connections`: the address had reached its maximum of connections
 * - `pipelined`: too many requests were queued on one connection, or one of them changes the protocol
 * - `stalled`: the client read nothing of its response for too long
 * - `unsent`: the same, after a shorter time, since too many bytes were queued for its address
 * - `half-open`: this process ended the connection, but the client did not
 * - `does not read`: too many bytes were queued for one socket
 * - `messages`: a socket sent too many messages
 * - `protocol`: a socket sent a packet that our clients never send, such as a second CONNECT or binary data
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
