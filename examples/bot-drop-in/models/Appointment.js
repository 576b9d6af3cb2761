import mongoose from 'mongoose';

const { ObjectId } = mongoose.Schema.Types;

const appointmentSchema = new mongoose.Schema(
  {
    companyId: { type: ObjectId, ref: 'Company', required: true },
    customerId: { type: ObjectId, ref: 'Contact', required: true },
    petId: { type: ObjectId, ref: 'Pet' },
    serviceId: { type: ObjectId, ref: 'ServiceCategory' },
    serviceItemId: { type: ObjectId, ref: 'ServiceItem' },
    staffId: { type: ObjectId, ref: 'User' },
    start: { type: Date, required: true },
    end: { type: Date, required: true },
    status: {
      type: String,
      enum: ['scheduled', 'checked_in', 'in_progress', 'completed', 'canceled', 'no_show'],
      default: 'scheduled',
    },
    canceledAt: Date,
    cancelReason: String,
    source: { type: String, default: 'instagram' },
    notes: { type: String, default: '' },
  },
  // The sweep uses updatedAt to find a write that was not announced because the bot crashed.
  { timestamps: true },
);

export const Appointment = mongoose.model('Appointment', appointmentSchema);
