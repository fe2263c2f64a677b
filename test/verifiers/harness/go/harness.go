// Reads a token a line, and says `good ID` or `refused`. TIME, if set, is what the clock says.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func main() {
	var options []jwt.ParserOption
	if text := os.Getenv("TIME"); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			panic(err)
		}
		options = append(options, jwt.WithTimeFunc(func() time.Time { return time.Unix(seconds, 0) }))
	}
	verifier, err := NewVerifier(context.Background(), options...)
	if err != nil {
		panic(err)
	}
	tokens := bufio.NewScanner(os.Stdin)
	for tokens.Scan() {
		user, err := verifier.UserOf(tokens.Text())
		if err != nil {
			fmt.Println("refused", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("good", user)
		}
	}
}
