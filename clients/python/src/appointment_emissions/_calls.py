from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ._batch import InvalidEmissionError, in_batches, read_batch, read_emission
from ._circuit_breaker import CircuitBreaker
from ._delivery import Backend, Delivery
from ._delivery_request import DeliveryRequest, batch_request, single_request
from ._message_flow import MessageFlow, MessageFlowLogger
from ._message_flow_file import FileLogger
from ._options import Settings
from ._report import LoggedCall, Report, create_notice

MAX_LOGGED_PROBLEMS = 20
"""Maximum number of invalid items of a batch that a line names."""


@dataclass
class Plan:
    """The requests of one call."""

    is_valid: bool = True
    """False if the call returns False even if all requests are accepted."""
    requests: list[DeliveryRequest] = field(default_factory=list)
    logged: list[LoggedCall] = field(default_factory=list)
    """For each request."""

    def add(self, request: DeliveryRequest, logged: LoggedCall) -> None:
        self.requests.append(request)
        self.logged.append(logged)


MakePlan = Callable[[], Plan]


class Calls:
    """What a call does before and after its requests are sent. The blocking and the asyncio functions share it."""

    def __init__(self, settings: Settings, logger: MessageFlowLogger | None) -> None:
        self._settings = settings
        self._breaker = CircuitBreaker(settings.failures_to_open, settings.cool_down_ms)
        self._file = FileLogger(settings.log_dir) if logger is None else None
        on_failed = create_notice(settings.log_dir) if logger is None else None
        self.report = Report(
            MessageFlow(self._file if logger is None else logger), settings.api_key, on_failed
        )
        self.is_closed = False

    def connect(self) -> Backend:
        """Creates the connections of one event loop. All share one circuit breaker."""
        settings = self._settings
        if settings.backend_url is None or settings.api_key is None:
            raise ValueError("there is no address or no key")
        return Backend(settings.backend_url, settings.api_key, settings, self._breaker)

    def close_log(self) -> None:
        """Writes the buffered lines. A logger of the application stays open."""
        if self._file is not None:
            self._file.close()

    def plan_one(self, event: str, appointment_id: object, company_id: object = None) -> Plan:
        plan = Plan()
        try:
            emission = read_emission(event, appointment_id, company_id)
        except InvalidEmissionError as problem:
            self.report.failed("error", str(problem), {"event": event})
            plan.is_valid = False
        else:
            plan.add(single_request(emission), LoggedCall([event], {**emission}))
        return self._allow(plan)

    def plan_batch(self, given: object) -> Plan:
        read = read_batch(given)
        plan = Plan(is_valid=not read.problems)
        if read.problems:
            problems = read.problems[:MAX_LOGGED_PROBLEMS]
            self.report.failed("error", "invalid emissions in the batch", {"problems": problems})
        for batch in in_batches(read.emissions):
            events = list(dict.fromkeys(item["event"] for item in batch))
            plan.add(batch_request(batch), LoggedCall(events, {"batch": len(batch)}))
        return self._allow(plan)

    def complete(self, plan: Plan, deliveries: list[Delivery]) -> bool:
        """Logs the results of the requests. Returns the result of the call."""
        accepted = [
            self.report.delivered(logged, delivery)
            for logged, delivery in zip(plan.logged, deliveries, strict=True)
        ]
        return plan.is_valid and all(accepted)

    def _allow(self, plan: Plan) -> Plan:
        """Returns the plan, or one without requests if nothing can be sent."""
        problem = self._settings.problem
        if not self.is_closed and problem is None:
            return plan
        for logged in plan.logged:
            if self.is_closed:
                self.report.failed("warn", "closed", logged.fields)
            elif problem is not None:
                self.report.failed(problem.level, problem.reason, logged.fields)
        return Plan(is_valid=plan.is_valid and not plan.requests)
