/** True once a writable primary answers on the port. */
export function isMongoReady(port: number, pid: number): Promise<boolean>;
