/** A loopback port that nobody listens on at this moment, outside the range of outgoing connections. */
export function freePort(): Promise<number>;

/** Whether a server could listen there; without `host`: on all interfaces. */
export function isFree(port: number, host?: string): Promise<boolean>;
