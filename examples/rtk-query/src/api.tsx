import { createApi, fetchBaseQuery } from '@reduxjs/toolkit/query/react';
import type { AppointmentList, AppointmentSnapshot } from '@appointment-emissions/dashboard';
import { type CachedAppointments, followAppointments } from '@appointment-emissions/dashboard/rtk-query';

/** ISO 8601: arguments of a query must be serializable. */
export interface Range {
  from: string;
  to: string;
}

const tokenUrl: string = import.meta.env.VITE_TOKEN_URL ?? '';

export async function getToken(): Promise<string> {
  const reply = await fetch(tokenUrl, { method: 'POST' });
  if (!reply.ok) throw new Error(`No token: POST ${tokenUrl} replied with status ${reply.status}.`);
  const { token } = (await reply.json()) as { token: string };
  return token;
}

export const api = createApi({
  baseQuery: fetchBaseQuery({
    baseUrl: '/api/v1/dashboard',
    prepareHeaders: async (headers) => {
      headers.set('authorization', `Bearer ${await getToken()}`);
    },
  }),
  tagTypes: ['Appointment'],
  endpoints: (build) => ({
    /** A query as it was before. `useInvalidation` makes it refetch after each change. */
    appointments: build.query<AppointmentSnapshot[], Range>({
      query: (range) => ({ url: 'appointments', params: range }),
      transformResponse: (list: AppointmentList) => list.appointments.map(({ appointment }) => appointment),
      providesTags: ['Appointment'],
    }),
    /** A cache entry that each event patches: no request for a change. */
    followedAppointments: build.query<CachedAppointments, Range>(
      followAppointments((range) => ({ url: '/', getToken, ...range })),
    ),
  }),
});

export const { useAppointmentsQuery, useFollowedAppointmentsQuery } = api;
