/** State of a process, or of a server that it needs. */
export interface HealthStatus {
  ok: boolean;
  /** Explains a problem to the operator. */
  detail?: string;
}
