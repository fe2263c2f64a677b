import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import org.springframework.security.oauth2.jwt.JwtDecoder;

/** Reads a token a line, and says `good ID` or `refused`. TIME, if set, is what the clock says. */
public class Harness {
  public static void main(String[] args) throws Exception {
    String time = System.getenv("TIME");
    Clock clock =
        time == null
            ? Clock.systemUTC()
            : Clock.fixed(Instant.ofEpochSecond(Long.parseLong(time)), ZoneOffset.UTC);
    JwtDecoder decoder = PosternTokens.decoder(clock);
    BufferedReader tokens = new BufferedReader(new InputStreamReader(System.in));
    for (String token = tokens.readLine(); token != null; token = tokens.readLine()) {
      try {
        System.out.println("good " + decoder.decode(token).getClaimAsString("user_id"));
      } catch (Exception error) {
        System.out.println("refused " + error.getClass().getSimpleName());
      }
    }
  }
}
