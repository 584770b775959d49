import mongoose from 'mongoose';
import type { Membership, UserWithSecrets } from './user.js';

const text = { type: String, required: true };
const membershipSchema = new mongoose.Schema<Membership>(
  {
    role_binding_id: text,
    role_id: text,
    role_type: text,
    workspace_id: text,
    workspace_group_id: String,
    created_at: { type: Date, required: true },
  },
  { _id: false },
);
/** The collection of users and its indexes. */
export const userSchema = new mongoose.Schema<UserWithSecrets>(
  {
    id: text,
    user_id: text,
    username: text,
    login_keys: [text],
    domain_id: text,
    name: { type: String, default: '' },
    state: text,
    email: { type: String, default: '' },
    email_verified: { type: Boolean, default: false },
    proven_email: String,
    auth_type: text,
    role_type: text,
    role_id: String,
    mfa: mongoose.Schema.Types.Mixed,
    required_actions: [String],
    language: text,
    timezone: text,
    tags: mongoose.Schema.Types.Mixed,
    refresh_timeout: Number,
    memberships: [membershipSchema],
    generation: { type: Number, default: 1 },
    kept_session: String,
    created_at: { type: Date, required: true },
    updated_at: Date,
    last_accessed_at: Date,
    password_changed_at: Date,
    password_strength: String,
    description: String,
    default_project_id: String,
    areacode: String,
    phone: String,
    xuser_id: String,
    xuser_type: String,
    org_id: String,
    grade: Number,
    extension: mongoose.Schema.Types.Mixed,
    password: { type: String, select: false },
    temporary_password: { type: mongoose.Schema.Types.Mixed, select: false },
    otp: { type: mongoose.Schema.Types.Mixed, select: false },
  },
  { minimize: false, versionKey: false },
);
userSchema.index({ domain_id: 1, user_id: 1 }, { unique: true });
userSchema.index({ domain_id: 1, login_keys: 1 }, { unique: true });
userSchema.index({ id: 1 }, { unique: true });
// Only of those who have both: an empty text is none.
userSchema.index(
  { domain_id: 1, xuser_type: 1, xuser_id: 1 },
  { unique: true, partialFilterExpression: { xuser_type: { $gt: '' }, xuser_id: { $gt: '' } } },
);
// Users of a domain by their opaque id, for pages of the IAM systems.
userSchema.index({ domain_id: 1, id: 1 });
userSchema.index({ domain_id: 1, state: 1, id: 1 });
// Those of all domains who are disabled, who are few among many.
userSchema.index({ state: 1, id: 1 }, { partialFilterExpression: { state: 'DISABLED' } });
// The administrators of a domain, who are few among many.
userSchema.index(
  { domain_id: 1, role_type: 1, state: 1 },
  { partialFilterExpression: { role_type: 'DOMAIN_ADMIN' } },
);
// A username in all domains, for the system.
userSchema.index({ login_keys: 1, id: 1 });
// Members of a workspace in every order that a list offers: equality first, then the order, one scan each.
for (const key of ['email', 'created_at', 'last_accessed_at', 'name']) {
  userSchema.index({ domain_id: 1, 'memberships.workspace_id': 1, [key]: 1, user_id: 1 });
}
userSchema.index({ domain_id: 1, 'memberships.workspace_id': 1, user_id: 1 });
