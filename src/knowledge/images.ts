/**
 * Jenkins' own agent image, by version: `latest` would be another agent at each build. Debian, Java 21, user jenkins
 * (1000). The tags that jenkinsci/docker-agents publishes end in its build number and the Java version; six public
 * repositories name this one, all with the digest sha256:c3d5dd3c9ca922032daccf8c6226cb877a13b45a4e2e3953c443b4aa9af55e81.
 */
export const jenkinsAgentImage = 'jenkins/inbound-agent:3355.v388858a_47b_33-14-jdk21';
