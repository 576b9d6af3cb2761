/** Whether a process gets on with its work; words for the operator where it does not. */
export interface HealthStatus {
  ok: boolean;
  detail?: string;
}
