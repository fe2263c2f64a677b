CREATE TABLE "postern"."auth_events" (
	"id" uuid NOT NULL,
	"event_type" text NOT NULL,
	"user_id" uuid,
	"email" text,
	"session_id" uuid,
	"ip_address" "inet",
	"user_agent" text,
	"success" boolean NOT NULL,
	"failure_reason" text,
	"request_id" text,
	"created_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"details" jsonb,
	CONSTRAINT "auth_events_created_at_id_pk" PRIMARY KEY("created_at","id")
) PARTITION BY RANGE ("created_at");
--> statement-breakpoint
CREATE TABLE "postern"."signing_keys" (
	"kid" text PRIMARY KEY NOT NULL,
	"algorithm" text NOT NULL,
	"public_jwk" jsonb,
	"private_key_ciphertext" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"active_at" timestamp (3) with time zone NOT NULL,
	"replaced_at" timestamp (3) with time zone,
	"retires_at" timestamp (3) with time zone NOT NULL,
	"revoked_at" timestamp (3) with time zone,
	CONSTRAINT "signing_keys_algorithm_check" CHECK ("postern"."signing_keys"."algorithm" in ('HS256', 'ES256', 'EdDSA', 'RS256'))
);
--> statement-breakpoint
CREATE TABLE "postern"."sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"refresh_counter" bigint DEFAULT 0 NOT NULL,
	"refresh_key_id" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"refreshed_at" timestamp (6) with time zone DEFAULT now() NOT NULL,
	"last_seen_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"ip_address" "inet",
	"user_agent" text
);
--> statement-breakpoint
CREATE TABLE "postern"."users" (
	"id" uuid PRIMARY KEY NOT NULL,
	"email" text NOT NULL,
	"password_hash" text NOT NULL,
	"role" text DEFAULT 'user' NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"last_login" timestamp (3) with time zone,
	CONSTRAINT "users_role_check" CHECK ("postern"."users"."role" in ('user', 'admin'))
);
--> statement-breakpoint
ALTER TABLE "postern"."sessions" ADD CONSTRAINT "sessions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "postern"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "auth_events_user_id_idx" ON "postern"."auth_events" USING btree ("user_id","created_at","id");--> statement-breakpoint
CREATE INDEX "signing_keys_live_idx" ON "postern"."signing_keys" USING btree ("retires_at") WHERE "postern"."signing_keys"."revoked_at" is null;--> statement-breakpoint
CREATE INDEX "sessions_user_id_idx" ON "postern"."sessions" USING btree ("user_id","created_at") WHERE "postern"."sessions"."ended_at" is null;--> statement-breakpoint
CREATE INDEX "sessions_expires_at_idx" ON "postern"."sessions" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "sessions_ended_at_idx" ON "postern"."sessions" USING btree ("ended_at") WHERE "postern"."sessions"."ended_at" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "users_email_key" ON "postern"."users" USING btree ("email");--> statement-breakpoint
CREATE FUNCTION "postern"."refuse_event_change"() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	RAISE EXCEPTION '% on %.% is refused: authentication events are append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
		USING ERRCODE = 'insufficient_privilege', HINT = 'Retention drops whole partitions.';
END $$;
--> statement-breakpoint
CREATE TRIGGER "auth_events_refuse_row_change" BEFORE UPDATE OR DELETE ON "postern"."auth_events"
	FOR EACH ROW EXECUTE FUNCTION "postern"."refuse_event_change"();
--> statement-breakpoint
CREATE TRIGGER "auth_events_refuse_change" BEFORE UPDATE OR DELETE OR TRUNCATE ON "postern"."auth_events"
	FOR EACH STATEMENT EXECUTE FUNCTION "postern"."refuse_event_change"();
--> statement-breakpoint
-- Makes the partition of the month (UTC) that holds the given day, unless it is there; true when it was made.
-- PostgreSQL gives the row trigger to each partition, the statement trigger it does not. Attaching lets inserts go on
-- meanwhile, which CREATE TABLE ... PARTITION OF would not.
CREATE FUNCTION "postern"."ensure_event_partition"(month date) RETURNS boolean LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	first timestamp := date_trunc('month', month::timestamp);
	partition text := 'auth_events_' || to_char(first, 'YYYY_MM');
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('postern.ensure_event_partition'));
	IF EXISTS (
		SELECT FROM pg_catalog.pg_inherits
		WHERE inhparent = 'postern.auth_events'::regclass AND inhrelid = to_regclass(format('postern.%I', partition))
	) THEN
		RETURN false;
	END IF;
	EXECUTE format('CREATE TABLE postern.%I (LIKE postern.auth_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
	EXECUTE format(
		'CREATE TRIGGER auth_events_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON postern.%I '
		'FOR EACH STATEMENT EXECUTE FUNCTION postern.refuse_event_change()', partition);
	EXECUTE format(
		'ALTER TABLE postern.auth_events ATTACH PARTITION postern.%I FOR VALUES FROM (%L) TO (%L)', partition,
		to_char(first, 'YYYY-MM-DD') || ' 00:00:00+00', to_char(first + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00');
	RETURN true;
END $$;
