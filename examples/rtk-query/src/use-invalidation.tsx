import { useEffect, useState } from 'react';
import { useDispatch } from 'react-redux';
import { connectDashboard, type DashboardState, fetchAppointments } from '@appointment-emissions/dashboard';
import { invalidateOnChange } from '@appointment-emissions/dashboard/rtk-query';
import { api, getToken, type Range } from './api';

/**
 * Invalidates the tag after each change while the component is mounted. It replaces an effect with listeners of its own:
 *
 *     socket.on('appointment:updated', () => dispatch(api.util.invalidateTags(['Appointment'])));
 *
 * With the library, changes during a lost connection invalidate too, once it is back.
 */
export function useInvalidation({ from, to }: Range): DashboardState {
  const dispatch = useDispatch();
  const [state, setState] = useState<DashboardState>('connecting');
  useEffect(() => {
    const dashboard = connectDashboard({
      url: '/',
      getToken,
      loadSnapshot: (token) => fetchAppointments({ url: '/', token, from: new Date(from), to: new Date(to) }),
    });
    dashboard.on('state', setState);
    const stop = invalidateOnChange(dashboard, () => {
      dispatch(api.util.invalidateTags(['Appointment']));
    });
    return () => {
      stop();
      dashboard.close();
    };
  }, [dispatch, from, to]);
  return state;
}
