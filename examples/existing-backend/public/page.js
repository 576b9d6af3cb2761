const STATUSES = ['scheduled', 'checked_in', 'in_progress', 'completed', 'canceled', 'no_show'];
const CANCELED = ['canceled', 'no_show'];
const DAYS_SHOWN = 7;

/** The list of the next days, as the signed-in user may see it, with a select to change a status. */
export function createPage(token) {
  const find = (id) => document.getElementById(id);
  const { role, userId } = JSON.parse(atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')));

  async function request(path, method = 'GET', body = undefined) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const options = { method, headers, body: JSON.stringify(body) };
    const response = await fetch(`/api/v1/appointments${path}`, options);
    if (!response.ok) throw new Error(`${method} ${path} failed with status ${response.status}`);
    return response.status === 204 ? undefined : response.json();
  }

  async function changeStatus({ _id }, status) {
    if (CANCELED.includes(status)) await request(`/${_id}/cancel`, 'POST', { status, reason: 'by staff' });
    else await request(`/${_id}`, 'PATCH', { status });
  }

  function run(work) {
    work.catch(({ message }) => {
      find('latest').textContent = message;
      return refresh();
    });
  }

  function toRow(appointment) {
    const { _id, start, end, customerId, petId, serviceId, staffId, status } = appointment;
    const row = document.createElement('tr');
    row.id = `a${_id}`;
    row.dataset.status = status;
    const texts = [
      `${dayOf(start)} ${timeOf(start)} to ${timeOf(end)}`,
      petId?.name,
      customerId?.fullName,
      serviceId?.name,
      staffId?.fullName,
    ];
    row.append(...texts.map((text) => toCell(text ?? '')));

    const select = document.createElement('select');
    select.setAttribute('aria-label', `Status of ${petId?.name}`);
    select.append(...STATUSES.map((name) => new Option(name.replace('_', ' '), name)));
    select.value = status;
    select.addEventListener('change', () => run(changeStatus(appointment, select.value)));
    const remove = document.createElement('button');
    remove.textContent = 'Delete';
    remove.setAttribute('aria-label', `Delete the appointment of ${petId?.name}`);
    remove.addEventListener('click', () => run(request(`/${_id}`, 'DELETE')));
    row.append(toCell(select), toCell(remove));
    return row;
  }

  let isLoading = false;
  let isAgain = false;
  /** Loads the list: one request at a time, and once more if it was called meanwhile. So an older reply never wins. */
  async function refresh() {
    if (isLoading) {
      isAgain = true;
      return;
    }
    isLoading = true;
    find('rows').ariaBusy = 'true';
    try {
      do {
        isAgain = false;
        const from = new Date(new Date().setHours(0, 0, 0, 0));
        const to = new Date(from.getTime() + DAYS_SHOWN * 24 * 3_600_000);
        const range = new URLSearchParams({ from: from.toISOString(), to: to.toISOString() });
        const { appointments } = await request(`?${range}`);
        find('rows').replaceChildren(...appointments.map(toRow));
      } while (isAgain);
    } finally {
      isLoading = false;
      find('rows').ariaBusy = 'false';
    }
  }

  return {
    refresh,
    showState: (state) => (find('state').textContent = state),
    /** Shows what an event contains, beside the list. A groomer sees only their own appointments. */
    showLatest(event, { start, petId, staffId, status, notes }) {
      if (role === 'groomer' && staffId?._id !== userId) return;
      const [, change] = event.split(':');
      const texts = [timeOf(start), status.replace('_', ' '), notes];
      find('latest').textContent = `${petId?.name} ${change}: ${texts.filter(Boolean).join(', ')}`;
    },
    onPresence(count) {
      find('presence').addEventListener('click', async () => {
        find('presence').textContent = `${await count()} online`;
      });
    },
  };
}

function toCell(content) {
  const cell = document.createElement('td');
  cell.append(content);
  return cell;
}

function dayOf(date) {
  return new Date(date).toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
}

function timeOf(date) {
  return new Date(date).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}
