CREATE TABLE "postern"."known_addresses" (
	"user_id" uuid NOT NULL,
	"address_key" text NOT NULL,
	"signed_in_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "known_addresses_user_id_address_key_pk" PRIMARY KEY("user_id","address_key")
);
--> statement-breakpoint
CREATE TABLE "postern"."throttle_counts" (
	"email" text NOT NULL,
	"address_key" text NOT NULL,
	"series" uuid NOT NULL,
	"failures" integer NOT NULL,
	"attempted_at" timestamp (3) with time zone NOT NULL,
	"throttled_until" timestamp (3) with time zone,
	CONSTRAINT "throttle_counts_email_address_key_pk" PRIMARY KEY("email","address_key")
);
--> statement-breakpoint
ALTER TABLE "postern"."known_addresses" ADD CONSTRAINT "known_addresses_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "postern"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "known_addresses_signed_in_at_idx" ON "postern"."known_addresses" USING btree ("signed_in_at");--> statement-breakpoint
CREATE INDEX "throttle_counts_attempted_at_idx" ON "postern"."throttle_counts" USING btree ("attempted_at");