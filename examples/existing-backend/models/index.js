import mongoose from 'mongoose';

const { Schema } = mongoose;
const reference = (ref) => ({ type: Schema.Types.ObjectId, ref });
const companyId = { ...reference('Company'), required: true };

const STATUSES = ['scheduled', 'checked_in', 'in_progress', 'completed', 'canceled', 'no_show'];
/** Statuses in which an appointment occupies no time. */
export const CANCELED = ['canceled', 'no_show'];

export const Company = mongoose.model('Company', new Schema({ name: String }));
export const Contact = mongoose.model(
  'Contact',
  new Schema({ companyId, fullName: String, email: String, phone: String }),
);
export const Pet = mongoose.model(
  'Pet',
  new Schema({ companyId, name: String, species: String, breed: String, size: String, coatType: String }),
);
export const ServiceCategory = mongoose.model('ServiceCategory', new Schema({ companyId, name: String }));
export const ServiceItem = mongoose.model(
  'ServiceItem',
  new Schema({ companyId, size: String, coatType: String, price: Number }),
);
export const User = mongoose.model('User', new Schema({ companyId, fullName: String, role: String }));

const appointmentSchema = new Schema(
  {
    companyId,
    customerId: { ...reference('Contact'), required: true },
    petId: reference('Pet'),
    serviceId: reference('ServiceCategory'),
    serviceItemId: reference('ServiceItem'),
    staffId: { ...reference('User'), required: true },
    start: { type: Date, required: true },
    end: { type: Date, required: true },
    status: { type: String, enum: STATUSES, default: 'scheduled' },
    canceledAt: Date,
    cancelReason: String,
    source: { type: String, default: 'staff' },
    notes: { type: String, default: '' },
  },
  { timestamps: true },
);
appointmentSchema.index({ companyId: 1, start: 1 });
export const Appointment = mongoose.model('Appointment', appointmentSchema);

/** What is populated wherever an appointment is shown. */
export const APPOINTMENT_PATHS = [
  { path: 'customerId', select: 'fullName email phone' },
  { path: 'petId', select: 'name species breed size coatType' },
  { path: 'serviceId', select: 'name' },
  { path: 'serviceItemId', select: 'size coatType price' },
  { path: 'staffId', select: 'fullName role' },
];

const reservationSchema = new Schema({
  appointmentId: reference('Appointment'),
  staffId: reference('User'),
  quarterHour: Date,
});
reservationSchema.index({ staffId: 1, quarterHour: 1 }, { unique: true });
/** A quarter of an hour of a member of the staff. The index refuses the second one. */
export const Reservation = mongoose.model('Reservation', reservationSchema);
