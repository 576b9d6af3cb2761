import type { Connection } from 'mongoose';
import { STATUSES } from './backend-model.ts';

/** Defines the mongoose models of an application like the one that backend-model.ts describes. */
export function defineBackendModels(connection: Connection) {
  const { Schema } = connection.base;
  const { ObjectId } = Schema.Types;
  const companyId = { type: ObjectId, required: true };
  connection.model('Contact', new Schema({ companyId, fullName: String, email: String, phone: String }));
  connection.model(
    'Pet',
    new Schema({
      companyId,
      name: String,
      species: String,
      breed: String,
      size: String,
      coatType: String,
      photos: [String],
      vet: { name: String },
    }),
  );
  connection.model('ServiceCategory', new Schema({ companyId, name: String }));
  connection.model(
    'ServiceItem',
    new Schema({ companyId, size: String, coatType: String, price: Schema.Types.Decimal128 }),
  );
  const User = connection.model(
    'User',
    new Schema({ companyId, fullName: String, role: String, passwordHash: String }),
  );
  connection.model('Room', new Schema({ label: String }));
  const Appointment = connection.model(
    'Appointment',
    new Schema(
      {
        companyId,
        customerId: { type: ObjectId, ref: 'Contact' },
        petId: { type: ObjectId, ref: 'Pet' },
        serviceId: { type: ObjectId, ref: 'ServiceCategory' },
        serviceItemId: { type: ObjectId, ref: 'ServiceItem' },
        staffId: { type: ObjectId, ref: User },
        roomId: { type: ObjectId, ref: 'Room' },
        couponId: { type: ObjectId, ref: 'Coupon' },
        createdBy: ObjectId,
        extraPets: [{ type: ObjectId, ref: 'Pet' }],
        locationId: ObjectId,
        start: Date,
        end: Date,
        status: { type: String, enum: STATUSES },
        source: String,
        notes: String,
        canceledAt: Date,
        cancellationReason: String,
      },
      { timestamps: true },
    ),
  );
  return { Appointment, User };
}
