/** Whether the process `pid` serves Redis, or is a Sentinel, on this port of 127.0.0.1 and has its data loaded. */
export function isRedisReady(port: number, pid: number): Promise<boolean>;
