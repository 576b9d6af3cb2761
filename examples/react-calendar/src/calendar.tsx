import { useEffect, useRef } from 'react';
import { createCalendar, destroyCalendar, TimeGrid } from '@event-calendar/core';
import '@event-calendar/core/index.css';
import type { AppointmentSnapshot } from '@appointment-emissions/dashboard';

export interface Range {
  from: Date;
  to: Date;
}

interface Props {
  appointments: readonly AppointmentSnapshot[];
  /** Called with the days that are shown. */
  onRange: (range: Range) => void;
}

/** Event Calendar in React: created once for an element; its events are replaced when the appointments change. */
export function Calendar({ appointments, onRange }: Props) {
  const element = useRef<HTMLDivElement>(null);
  const calendar = useRef<ReturnType<typeof createCalendar>>(null);

  useEffect(() => {
    const created = createCalendar(element.current!, [TimeGrid], {
      // A week does not fit on a phone.
      view: matchMedia('(width < 48rem)').matches ? 'timeGridDay' : 'timeGridWeek',
      headerToolbar: { start: 'title', center: '', end: 'timeGridDay,timeGridWeek today prev,next' },
      buttonText: { today: 'Today', timeGridDay: 'Day', timeGridWeek: 'Week' },
      firstDay: 1,
      nowIndicator: true,
      allDaySlot: false,
      slotEventOverlap: false,
      slotHeight: 32,
      // Appointments before and after these times extend the day.
      slotMinTime: '08:00',
      slotMaxTime: '18:00',
      flexibleSlotTimeLimits: true,
      datesSet: ({ start, end }: { start: Date; end: Date }) => onRange({ from: start, to: end }),
    });
    calendar.current = created;
    return () => void destroyCalendar(created);
  }, [onRange]);

  useEffect(() => {
    calendar.current?.setOption('events', appointments.map(toEvent));
  }, [appointments]);

  return <div ref={element} className="calendar" />;
}

function toEvent({ _id, start, end, status, petId, serviceId, customerId }: AppointmentSnapshot) {
  const what = [petId?.name, serviceId?.name, customerId?.fullName].filter(Boolean).join(' · ');
  return {
    id: _id,
    start: start ?? new Date(0),
    end: end ?? start ?? new Date(0),
    // Shown as text, so that a customer's name cannot contain HTML.
    title: what || 'Appointment',
    classNames: [`status-${status}`, `a${_id}`],
  };
}
