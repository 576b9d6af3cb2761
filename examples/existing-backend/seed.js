/** Writes a company with two appointments, and prints its ids and a token for each of its staff, as JSON. */
import mongoose from 'mongoose';
import { signToken } from './auth.js';
import { config } from './config.js';
import { Appointment, Company, Contact, Pet, ServiceCategory, ServiceItem, User } from './models/index.js';
import { saveAppointment } from './services/reservations.js';

await mongoose.connect(config.mongoUri);
await Promise.all(Object.values(mongoose.models).map((model) => model.init()));

const { _id: companyId } = await Company.create({ name: 'Paws & Co' });
const customer = await Contact.create({ companyId, fullName: 'Ann Bauer', phone: '+49 30 555 0100' });
const pet = await Pet.create({ companyId, name: 'Rex', species: 'dog', breed: 'Poodle', size: 'small' });
const service = await ServiceCategory.create({ companyId, name: 'Full groom' });
const item = await ServiceItem.create({ companyId, size: 'small', coatType: 'curly', price: 55 });
const users = await User.create([
  { companyId, fullName: 'Rosa Lind', role: 'receptionist' },
  { companyId, fullName: 'Maya Brandt', role: 'groomer' },
  { companyId, fullName: 'Jonas Okafor', role: 'groomer' },
]);
const [, maya, jonas] = users;

/** Tomorrow, by the clock of this process. */
const at = (hours) => new Date(new Date().setHours(24 + hours, 0, 0, 0));
const ids = { customerId: customer._id, petId: pet._id, serviceId: service._id, serviceItemId: item._id };
const appointments = [
  new Appointment({ ...ids, companyId, staffId: maya._id, start: at(10), end: at(11) }),
  new Appointment({ ...ids, companyId, staffId: jonas._id, start: at(12), end: at(13) }),
];
for (const appointment of appointments) await saveAppointment(appointment);

const tokens = users.map(async ({ _id: userId, fullName, role }) => ({
  userId,
  fullName,
  role,
  token: await signToken({ userId, companyId, role }),
}));
const [first, second] = appointments.map(({ _id }) => _id);
console.log(JSON.stringify({ companyId, ...ids, first, second, staff: await Promise.all(tokens) }));
await mongoose.disconnect();
